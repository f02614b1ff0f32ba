import { ViaError } from '../failure.js';
import type { Request } from '../request.js';
import { nearest } from './nearest.js';
import { OFFERED } from './options.js';

/** The management word that is most likely meant by what was read as a gateway: `stauts`. */
export const meantWord = (gateway: string): string | undefined => nearest(gateway, LONG_WORDS);

/** `run` is too near to what devices are called. */
const LONG_WORDS = OFFERED.map(({ name }) => name).filter((name) => name.length > 3);

/** Whether a word is a gateway's address, or %device, and so no user's name and hardly a command's. */
export const isLikeAddress = (text: string): boolean => /^\d+(\.\d+){3}(?!\w)|^[\da-f]*:[\da-f:]+(?!\w)|^%/.test(text);

/** The same error, with what may have been meant where that is near; `request` is what was asked for. */
export function withMeant(error: ViaError, request?: Request): ViaError {
  if (request?.word === 'none') return noGateway(error, request.command);
  return request?.word === 'launch' ? unknownDevice(error, request.gateway) : error;
}

function noGateway(error: ViaError, [name, next]: readonly [string, ...string[]]): ViaError {
  const isMeant = error.status === 127 && (next === '--' || isLikeAddress(name));
  if (!isMeant) return error;
  return new ViaError('command', JSON.stringify(name), 'not found', { hint: 'none takes no gateway', status: 127 });
}

/** A gateway that is no device may be a word that was mistyped; a device of that name wins. */
function unknownDevice(error: ViaError, gateway: string): ViaError {
  const word = error.code === 'unknown-device' ? meantWord(gateway) : undefined;
  const hint = `did you mean via ${word}?${error.hint === undefined ? '' : ` Else ${error.hint}`}`;
  return word === undefined ? error : new ViaError('device', `"${gateway}"`, 'unknown', { hint });
}
