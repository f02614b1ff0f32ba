import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ViaError } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import { besideUs } from '../kernel/proc.js';
import { isProgramPath } from './exec.js';

/**
 * The path by which a menu starts this via, whose PATH may be another one: that of the link on PATH, which outlives a
 * version, else of the file itself. Throws where no entry could have it.
 */
export function pathOfVia(path = process.env['PATH'] ?? ''): string {
  const own = realpathSync(besideUs('via'));
  const links = path
    .split(':')
    .filter(isAbsolute)
    .map((folder) => `${folder.replace(/\/+$/, '')}/via`)
    .filter((link) => ignoring(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'], () => realpathSync(link)) === own);
  const found = [...links, own].find(isProgramPath);
  if (found !== undefined) return found;
  throw new ViaError('via', own, 'cannot be started from a menu: its path has = or % in it', {
    hint: 'make a link to it in /usr/local/bin',
  });
}
