import { ViaError } from '../failure.js';
import type { Request } from '../request.js';
import { nearest } from './nearest.js';
import { OFFERED } from './options.js';

/** The management word that a gateway's text is probably a typo of: `stauts`. */
export const meantWord = (gateway: string): string | undefined => nearest(gateway, LONG_WORDS);

/** Short words such as `run` are too similar to device names. */
const LONG_WORDS = OFFERED.map(({ name }) => name).filter((name) => name.length > 3);

/** True if a word looks like a gateway's address or like %device. Such a word is no user name and hardly a command. */
export const isLikeAddress = (text: string): boolean => /^\d+(\.\d+){3}(?!\w)|^[\da-f]*:[\da-f:]+(?!\w)|^%/.test(text);

/** The error, with a suggestion if a similar word exists. */
export function withMeant(error: ViaError, request?: Request): ViaError {
  if (request?.word === 'none') return noGateway(error, request.command);
  return request?.word === 'launch' ? unknownDevice(error, request.gateway) : error;
}

function noGateway(error: ViaError, [name, next]: readonly [string, ...string[]]): ViaError {
  const isMeant = error.status === 127 && (next === '--' || isLikeAddress(name));
  if (!isMeant) return error;
  return new ViaError('command', JSON.stringify(name), 'not found', { hint: 'none takes no gateway', status: 127 });
}

/** An unknown device may be a mistyped word. */
function unknownDevice(error: ViaError, gateway: string): ViaError {
  const word = error.code === 'unknown-device' ? meantWord(gateway) : undefined;
  const hint = `did you mean via ${word}?${error.hint === undefined ? '' : ` Else ${error.hint}`}`;
  return word === undefined ? error : new ViaError('device', `"${gateway}"`, 'unknown', { hint });
}
