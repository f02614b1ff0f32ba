import { WORDS } from '../cli/options.js';
import { parseGateway } from '../gateway/text.js';

/** A gateway as it has to be typed: a device that is called like a word of ours is %word. Throws where it can be no gateway. */
export function typed(gateway: string): string {
  const isWord = parseGateway(gateway).kind === 'device' && WORDS.some(({ name }) => name === gateway);
  return isWord ? `%${gateway}` : gateway;
}
