import type { Request, Shell } from '../request.js';
import { apart, missing, mixed, noOptions, nothing } from './checks.js';
import type { Given } from './cut.js';
import type { Word } from './options.js';

/** Parses the arguments of `alias` from `argv[at]` on. The word itself checks the names and gateways. */
export function aliases(argv: readonly string[], at: number, before: readonly Given[], word: Word): Request {
  const read = mixed(argv, at, word);
  if ('word' in read) return read;
  const [own, others] = apart([...before, ...read.given]);
  noOptions(others, word.name);
  if (read.words.length === 0) throw missing('name', word);
  const shell = own.at(-1)?.value as Shell | undefined;
  return { word: 'alias', pairs: read.words, ...(shell === undefined ? {} : { shell }) };
}

/** Parses the optional name of a shell at `argv[at]`. */
export function completion(argv: readonly string[], at: number, given: readonly Given[], word: Word): Request {
  noOptions(given, word.name);
  nothing(argv, at + 1, word.name);
  const shell = argv[at];
  return { word: 'completion', ...(shell === undefined ? {} : { shell }) };
}
