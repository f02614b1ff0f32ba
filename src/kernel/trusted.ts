import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { besideUs } from './proc.js';

/**
 * The first file or directory on the path to this file that others than root can change; undefined if there is none, as
 * required for a file that root runs. Symbolic links are followed, because the owner of a link's directory can replace
 * the link. Throws if there is no such file.
 */
export function openToOthers(path: string): string | undefined {
  const real = realpathSync(path);
  return openIn(real) ?? (real === path ? undefined : openLinks(resolve(path)));
}

/** All files that root may run for a user: those in bin/ and the bundles. Throws if there are none. */
export const runAsRoot = (): string[] =>
  ['.', '../dist'].flatMap((folder) => readdirSync(besideUs(folder)).map((name) => besideUs(`${folder}/${name}`)));

/** The same for the directories of the links on the path. */
function openLinks(path: string): string | undefined {
  for (let at = path, n = 0; n < 40; n++) {
    const open = openIn(realpathSync(dirname(at)));
    if (open !== undefined) return open;
    if (!lstatSync(at).isSymbolicLink()) return undefined;
    at = resolve(realpathSync(dirname(at)), readlinkSync(at));
  }
  return path;
}

function openIn(path: string): string | undefined {
  const above = path === '/' ? undefined : openIn(dirname(path));
  if (above !== undefined) return above;
  const { uid, mode } = lstatSync(path);
  // In a sticky directory, such as /tmp, users cannot replace each other's files.
  const isOpen = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  return uid === 0 && !isOpen ? undefined : path;
}
