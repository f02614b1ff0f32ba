import { ViaError } from '../failure.js';
import type { Request } from '../request.js';
import { cutOptions, type Given } from './cut.js';
import { OPTIONS, type Word } from './options.js';

/** A word that takes no more words must not swallow a command in silence. */
export function nothing(argv: readonly string[], at: number, word: string): void {
  if (at < argv.length)
    throw new ViaError(word, `"${argv[at]!}"`, 'one word too many', { hint: `see via help ${word}` });
}

/** A word that takes no options must not do without one what was asked for with one, as --dry-run. */
export function noOptions([first]: readonly Given[], word: string): void {
  if (first !== undefined)
    throw new ViaError('option', `--${first.option.name}`, `does not go with ${word}`, {
      hint: `see via help ${word}`,
    });
}

/** The error for what a word cannot do without. */
export const missing = (what: string, { usage }: Word): ViaError =>
  new ViaError(what, '', 'missing', { hint: `usage: via ${usage}` });

/** The options that only a word takes, and those of the table. */
export const apart = (given: readonly Given[]): [own: Given[], others: Given[]] => [
  given.filter(({ option }) => !OPTIONS.includes(option)),
  given.filter(({ option }) => OPTIONS.includes(option)),
];

/** What stands behind a word from `argv[at]` on, with options anywhere in between; help or version, where that is asked. */
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
