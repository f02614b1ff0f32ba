import { existsSync, readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import { openToOthers } from '../kernel/trusted.js';

/** CAP_NET_ADMIN and CAP_SYS_ADMIN (capabilities(7)). */
const NEEDED = (1n << 12n) | (1n << 21n);

/**
 * Throws where no set-up by root can come of asking: nothing that this process starts can become root, or root in here
 * is not root, or what would be run as root is not root's alone.
 */
export function refuseObstacles(files: readonly string[], status: string, uidMap: string): void {
  if (/^NoNewPrivs:\t1$/m.test(status))
    throw fail('no_new_privs is set', 'nothing that is started from here can become root: start via outside');
  if (!/^\s*0\s+0\s+4294967295\s*$/.test(uidMap))
    throw fail('in a user namespace', 'root is not root in this container or sandbox: start via outside');
  const bounds = BigInt(`0x${/^CapBnd:\t([\da-f]{1,16})$/m.exec(status)?.[1] ?? 'ffffffffffffffff'}`);
  if ((bounds & NEEDED) !== NEEDED)
    throw fail('CAP_NET_ADMIN cannot be had', 'this container or sandbox takes it away: start via outside');
  for (const file of files) {
    if (!existsSync(file)) throw new ViaError('elevation', file, 'not there', { hint: 'install via anew' });
    const open = openToOthers(file);
    if (open === undefined) continue;
    throw new ViaError('elevation', open, 'others than root can change it, so it is not run as root', {
      hint: 'install via, and Node, where only root can write',
    });
  }
}

/** Where root finds Node, as bin/setup does: the caller's may be one of his own. */
export function rootsNode(): string {
  const places = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'.split(':');
  const path = places.map((place) => `${place}/node`).find((one) => existsSync(one));
  if (path !== undefined) return path;
  throw new ViaError('elevation', 'node', 'not found where root looks for it', {
    hint: 'install Node in /usr/bin or /usr/local/bin',
  });
}

/** The same for this process. */
export const refuseHere = (files: readonly string[]): void =>
  refuseObstacles(files, read('/proc/self/status'), read('/proc/self/uid_map', '0 0 4294967295'));

/** A kernel without user namespaces has no map of them. */
const read = (path: string, otherwise = ''): string =>
  ignoring(['ENOENT', 'EACCES'], () => readFileSync(path, 'utf8')) ?? otherwise;

const fail = (why: string, hint: string): ViaError => new ViaError('elevation', '', why, { hint });
