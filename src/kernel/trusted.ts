import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { besideUs } from './proc.js';

/**
 * The first file or directory, on the way to this one, that others than root can change: what is run as root must have
 * none. Links are followed, since who can change where one leads is who can change its directory. Throws where there is
 * no such file.
 */
export function openToOthers(path: string): string | undefined {
  const real = realpathSync(path);
  return openIn(real) ?? (real === path ? undefined : openLinks(resolve(path)));
}

/** All that may be run as root for a user: what is in bin/, and the bundles. Throws where there are none. */
export const runAsRoot = (): string[] =>
  ['.', '../dist'].flatMap((folder) => readdirSync(besideUs(folder)).map((name) => besideUs(`${folder}/${name}`)));

/** Directories of the links on the way. */
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
  // A directory that everybody can write keeps others from another's files where it is sticky, as /tmp is.
  const isOpen = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  return uid === 0 && !isOpen ? undefined : path;
}
