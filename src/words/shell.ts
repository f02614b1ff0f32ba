import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ViaError, wordsOf } from '../failure.js';
import { besideUs, programOf } from '../kernel/proc.js';
import type { Request, Shell } from '../request.js';
import type { Say } from '../say.js';
import { aliasLines, readAlias } from './aliases.js';

/** Prints the lines that define aliases. Throws if a name or gateway is not valid, or the shell is not known. */
export function tellAliases({ pairs, shell }: Extract<Request, { word: 'alias' }>, say: Say): void {
  const aliases = pairs.map(readAlias);
  const twice = aliases.find(({ name }, at) => aliases.findIndex((other) => other.name === name) < at);
  if (twice !== undefined) throw new ViaError('alias', `"${twice.name}"`, 'given twice');
  say.out(aliasLines(shell ?? asking('--shell bash, zsh, fish or sh'), aliases, resolve(besideUs(FOLDER))));
}

/** Prints the completion file of a shell. Throws if there is none. */
export function tellCompletion({ shell }: Extract<Request, { word: 'completion' }>, say: Say): void {
  const hint = 'there is one for bash, zsh and fish';
  const file = FILES.get(shell ?? asking(hint));
  if (file === undefined) throw new ViaError('completion', `"${shell ?? 'sh'}"`, 'no such shell', { hint });
  const path = resolve(besideUs(FOLDER), file);
  try {
    say.out([readFileSync(path, 'utf8').trimEnd()]);
  } catch (error) {
    throw new ViaError('completion', path, wordsOf(error), { cause: error });
  }
}

const FOLDER = '../share/completions';

const FILES: ReadonlyMap<string, string> = new Map([
  ['bash', 'via'],
  ['zsh', '_via'],
  ['fish', 'via.fish'],
]);

/** The shell that started via: the program of our parent process. Throws if that is no known shell. */
function asking(hint: string): Shell {
  const program = programOf(process.ppid) ?? '';
  const [, known] = /^r?(bash|zsh|fish)(?:\d+|-[\w.]+)?$/.exec(program) ?? [];
  if (known !== undefined) return known as Shell;
  if (/^(sh|dash|ash|busybox|posh|yash|[mol]*ksh\d*)$/.test(program)) return 'sh';
  throw new ViaError('shell', `"${program}"`, 'not one that via knows', { hint });
}
