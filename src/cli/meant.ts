import { nearest } from './nearest.js';
import { isBuilt, WORDS } from './options.js';

/** The management word that is most likely meant by what was read as a gateway: `stauts`. */
export const meantWord = (gateway: string): string | undefined => nearest(gateway, LONG_WORDS);

/** `run` is too near to what devices are called. */
const LONG_WORDS = WORDS.filter((word) => isBuilt(word) && word.internal !== true && word.name.length > 3).map(
  ({ name }) => name,
);

/** What via says of a device that does not exist, with the word that may have been meant; else undefined. */
export function unknownDevice(message: string, gateway: string): string | undefined {
  const start = `device "${gateway}": unknown`;
  const word = message.startsWith(start) ? meantWord(gateway) : undefined;
  const rest = message.slice(start.length).replace(/^ \((.*)\)$/, ' Else $1');
  return word === undefined ? undefined : `did you mean via ${word}?${rest}`;
}
