import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';

/**
 * The arguments of via. Throws if one is not UTF-8: Node has replaced its bytes by U+FFFD, and the command would get other
 * arguments. With `exec` the command gets them from the launcher, byte for byte.
 */
export function readArgv(exec: boolean): string[] {
  const words = process.argv.slice(2);
  if (exec) return words;
  const spoilt = words.find((word) => word.includes('\ufffd'));
  if (spoilt !== undefined && !isUtf8(readFileSync('/proc/self/cmdline'))) {
    throw new ViaError('argument', JSON.stringify(spoilt), 'not UTF-8', { hint: 'Node cannot pass it on' });
  }
  return words;
}
