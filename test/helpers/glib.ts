import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fixture, python } from './paths.js';

/** A file as GLib reads it: its groups, with their keys; `argv` are the words of the command. */
export type Groups = Readonly<Record<string, Readonly<Record<string, string | null> & { argv?: string[] | null }>>>;

/** What GLib makes of texts of desktop entries, each as bytes (latin1); null for what it does not take. */
export function readByGlib(texts: readonly string[]): (Groups | null)[] {
  const folder = mkdtempSync(`${tmpdir()}/via-glib-`);
  try {
    const paths = texts.map((text, i) => {
      writeFileSync(`${folder}/${i}.desktop`, text, 'latin1');
      return `${folder}/${i}.desktop`;
    });
    const input = paths.map((path) => `${path}\n`).join('');
    const lines = execFileSync(python[0]!, [...python.slice(1), fixture('glib.py'), 'read'], {
      input,
      encoding: 'utf8',
      // Its warnings are of a fault of its own.
      stdio: ['pipe', 'pipe', 'ignore'],
      maxBuffer: 1 << 28,
    });
    return lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Groups | null);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The words of each command in a file, in the order of its groups. */
export const commandsOf = (groups: Groups | null): (readonly string[] | null)[] =>
  Object.values(groups ?? {}).flatMap(({ argv }) => (argv === undefined ? [] : [argv]));
