import type { ExecutionContext } from 'ava';
import type { Result, RunOptions } from './exec.js';
import type { Lab } from './lab.js';
import { leaving } from './left.js';
import { launchWords } from './firewall.js';

/** via refused in one line, which is like this; the command did not run. */
export function refused(t: ExecutionContext, result: Result, line: RegExp, what?: string): void {
  const { code, stdout, stderr } = result;
  t.deepEqual([code, stdout], [125, ''], `${what ?? ''} ${stderr}`);
  t.regex(stderr, /^via: [^\n]+\n$/, what);
  t.regex(stderr, line, what);
}

/** via with these words, started by these others, refuses so and changes nothing. */
export async function refuses(
  t: ExecutionContext,
  lab: Lab,
  words: readonly string[],
  line: RegExp,
  { by = [], what = words.join(' '), ...options }: RunOptions & { by?: readonly string[]; what?: string } = {},
): Promise<void> {
  const { result, left } = await leaving(lab, () => lab.run('client', [...by, ...launchWords(words)], options));
  refused(t, result, line, what);
  t.deepEqual(left, [], what);
}

/** The same for many words at once; quicker, since the snapshots are taken once. */
export async function refuseAll(
  t: ExecutionContext,
  lab: Lab,
  all: readonly (readonly [words: string[], line: RegExp])[],
): Promise<void> {
  const { left } = await leaving(lab, async () => {
    for (const [words, line] of all) refused(t, await lab.via(words), line, words.join(' '));
  });
  t.deepEqual(left, []);
}
