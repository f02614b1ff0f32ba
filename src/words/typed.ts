import { WORDS } from '../cli/options.js';
import { parseGateway } from '../gateway/text.js';

/** A gateway as it must be typed: a device with the name of a word is %word. Throws if it is malformed. */
export function typed(gateway: string): string {
  const isWord = parseGateway(gateway).kind === 'device' && WORDS.some(({ name }) => name === gateway);
  return isWord ? `%${gateway}` : gateway;
}
