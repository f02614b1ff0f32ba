import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchWords } from './firewall.js';
import type { Owner } from './lab.js';
import { root } from './paths.js';

/** A copy of this program in a folder of its own, which the test removes. */
export interface Version {
  /** The command line of a launch with these words. */
  launch(...words: string[]): string[];
  /** Replaces the program's files by those of another version, at the same path. */
  upgrade(): void;
  readonly folder: string;
  readonly revision: string;
}

/** The revision of this build, and of a later one: its rules have other comments, and one chain has another name. */
const ours = readFileSync(join(root, 'dist/revision'), 'utf8').trim();
const theirs = 'feedf00d';

/** Installs this version in a temporary folder, or the later one (`other`). */
export function install(owner: Owner, other = false): Version {
  const folder = mkdtempSync(join(tmpdir(), 'via-version-'));
  owner.teardown(async () => rmSync(folder, { recursive: true, force: true }));
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
  const version: Version = {
    folder,
    revision: other ? theirs : ours,
    launch: (...words) => [join(folder, 'bin/via'), ...launchWords(words).slice(1)],
    upgrade: () => change(folder),
  };
  if (other) version.upgrade();
  return version;
}

function change(folder: string): void {
  // V8 knows a source by its length only, and would run the one that the cache is of.
  rmSync(join(folder, 'dist/via.cache'), { force: true });
  for (const name of readdirSync(join(folder, 'dist'))) {
    const path = join(folder, 'dist', name);
    if (name === 'LICENSES') continue;
    const text = readFileSync(path, 'latin1').replaceAll(ours, theirs);
    writeFileSync(
      path,
      text.replaceAll(/\bvia-reused\b|\breused\b/g, (word) => `${word}x`),
      'latin1',
    );
  }
}
