import { ViaError } from '../failure.js';
import type { Request } from '../request.js';
import { apart, missing, mixed, noOptions, nothing } from './checks.js';
import { collect } from './collect.js';
import type { Given } from './cut.js';
import type { Option, Word } from './options.js';

/** Parses the arguments of `desktop` from `argv[at]` on: write, remove or list. */
export function menu(argv: readonly string[], at: number, before: readonly Given[], word: Word): Request {
  const read = mixed(argv, at, word);
  if ('word' in read) return read;
  const { words } = read;
  const [own, others] = apart([...before, ...read.given]);
  const [first, ...more] = new Set(own.map(({ option }) => option.name));
  if (more.length > 0)
    throw new ViaError('option', `--${more[0]}`, `does not go with --${first}`, { hint: 'see via help desktop' });
  const does = first === 'list' || first === 'remove' ? first : 'write';
  // The options of a launch go into the written entries.
  const misplaced = does === 'write' ? others.filter(({ option }) => !IN_ENTRIES.has(option.field)) : others;
  noOptions(misplaced, word.name);
  if (does === 'list') nothing(words, 0, word.name);
  else if (words.length === 0) throw missing(does === 'write' ? 'gateway' : 'application', word);
  else if (does === 'write' && words.length === 1) throw missing('application', word);
  return { word: 'desktop', does, words, replace: first === 'replace', options: collect(others) };
}

const IN_ENTRIES = new Set<Option['field']>(['ipv4', 'ipv6', 'lan', 'firewall', 'elevate', 'quiet']);
