import { ViaError } from '../failure.js';
import type { Request } from '../request.js';
import { cutOptions, type Given } from './cut.js';
import { OPTIONS, type Word } from './options.js';

/** Throws if more arguments follow a word that takes none. */
export function nothing(argv: readonly string[], at: number, word: string): void {
  if (at < argv.length)
    throw new ViaError(word, `"${argv[at]!}"`, 'one word too many', { hint: `see via help ${word}` });
}

/** Throws if a word that takes no options gets one, such as --dry-run. */
export function noOptions([first]: readonly Given[], word: string): void {
  if (first !== undefined)
    throw new ViaError('option', `--${first.option.name}`, `does not go with ${word}`, {
      hint: `see via help ${word}`,
    });
}

/** The error for a missing argument of a word. */
export const missing = (what: string, { usage }: Word): ViaError =>
  new ViaError(what, '', 'missing', { hint: `usage: via ${usage}` });

/** Splits the given options: those that only this word takes, and those of the table. */
export const apart = (given: readonly Given[]): [own: Given[], others: Given[]] => [
  given.filter(({ option }) => !OPTIONS.includes(option)),
  given.filter(({ option }) => OPTIONS.includes(option)),
];

/** The arguments of a word from `argv[at]` on, with options anywhere between them; or a request for help or version. */
export function mixed(
  argv: readonly string[],
  at: number,
  word: Word,
): { words: string[]; given: Given[] } | Extract<Request, { word: 'help' | 'version' }> {
  const words: string[] = [];
  const given: Given[] = [];
  while (at < argv.length) {
    words.push(argv[at]!);
    const next = cutOptions(argv, at + 1, word.options);
    if (next.asks === 'version') return { word: 'version' };
    if (next.asks === 'help') return { word: 'help', topic: word.name };
    given.push(...next.given);
    at = next.at;
  }
  return { words, given };
}
