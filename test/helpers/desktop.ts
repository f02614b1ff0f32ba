import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { run, type Result } from './exec.js';
import { viaBin } from './paths.js';

/** A user's and a system's folders with desktop entries, of a test's own. */
export interface Home {
  readonly folder: string;
  /** The user's own folder of entries, and that of the system. */
  readonly own: string;
  readonly system: string;
  readonly env: Record<string, string | undefined>;
  /** Writes an entry (or any file) into one of them. */
  put(path: string, text: string): string;
  /** A program that is found by PATH. */
  program(name: string, script: string): string;
  /** What via changes: every file of the user's own folder, by its name. */
  files(): string[];
  desktop(words: readonly string[], env?: Record<string, string | undefined>): Promise<Result>;
}

/** Makes one; it goes with the test. */
export function makeHome(owner: { teardown(undo: () => void): void }): Home {
  const folder = mkdtempSync(`${tmpdir()}/via-home-`);
  owner.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const [own, system, bin] = [`${folder}/data/applications`, `${folder}/share/applications`, `${folder}/bin`];
  for (const path of [system, bin]) mkdirSync(path, { recursive: true });
  symlinkSync(viaBin, `${bin}/via`);
  const env = {
    HOME: folder,
    XDG_DATA_HOME: `${folder}/data`,
    XDG_DATA_DIRS: `${folder}/share`,
    PATH: `${bin}:${process.env['PATH']}`,
  };
  const put = (path: string, text: string): string => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  return {
    folder,
    own,
    system,
    env,
    put,
    program(name, script) {
      put(`${bin}/${name}`, `#!/bin/sh\n${script}\n`);
      chmodSync(`${bin}/${name}`, 0o755);
      return `${bin}/${name}`;
    },
    files() {
      try {
        return readdirSync(own).sort();
      } catch {
        return [];
      }
    },
    desktop: (words, more = {}) => run([viaBin, 'desktop', ...words], { env: { ...env, ...more }, cwd: folder }),
  };
}
