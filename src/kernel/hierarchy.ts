import { existsSync, readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { ignoring } from './cgroup.js';

/** Where the net_cls hierarchy is mounted, or will be. */
export interface Hierarchy {
  readonly path: string;
  /** The mount is via's own. */
  readonly own: boolean;
  readonly mounted: boolean;
  /** The controllers as mount options. */
  readonly controllers: string;
  /** The program that the kernel is to run when a group of it is empty, where we mount it. */
  readonly agent?: string;
}

/** Our own mount point; never under /sys/fs/cgroup, where it breaks LXD, podman and systemctl. */
export const OWN_MOUNT = '/run/via/net_cls';

/**
 * Finds the mount of the net_cls hierarchy, any writable one (proc(5), mountinfo), else where via will mount it.
 * Throws where this kernel has no net_cls.
 */
export function findHierarchy(): Hierarchy {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => (line.includes('net_cls') ? parseMount(line) : []))
    // Another mount on a directory above hides it.
    .filter(({ path }) => existsSync(`${path}/cgroup.procs`));
  const mount = mounts.find(({ path }) => path === OWN_MOUNT) ?? mounts[0];
  if (mount !== undefined) return { ...mount, own: mount.path === OWN_MOUNT, mounted: true };
  return { path: OWN_MOUNT, own: true, mounted: false, controllers: controllers() };
}

/** `36 35 98:0 /root /mount/point rw,noatime - cgroup source rw,net_cls`: the last mount of the list is on top. */
function parseMount(line: string): { path: string; controllers: string }[] {
  const [, point, options, type, superOptions] = /^\d+ \d+ \S+ \S+ (\S+) (\S+) .*?- (\S+) \S+ (\S+)$/.exec(line) ?? [];
  if (point === undefined || type !== 'cgroup' || superOptions === undefined) return [];
  const names = superOptions.split(',').filter((name) => name.startsWith('net_'));
  const writable = options?.split(',').includes('rw') === true && superOptions.split(',').includes('rw');
  if (!names.includes('net_cls') || !writable) return [];
  return [{ path: unescape(point), controllers: names.join(',') }];
}

/** proc(5): space, tab, newline and backslash are octal. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

/** What to do about a kernel without net_cls. */
export const NO_NET_CLS =
  'the kernel needs CONFIG_CGROUP_NET_CLASSID, and no cgroup_no_v1=net_cls or =all at its start';

/** A hierarchy that exists can only be mounted with all its controllers, so those that share net_cls's number. */
function controllers(): string {
  const text = ignoring(['ENOENT'], () => readFileSync('/proc/cgroups', 'utf8')) ?? '';
  const rows = text.split('\n').map((line) => line.split('\t'));
  const netCls = rows.find(([name]) => name === 'net_cls');
  if (netCls === undefined) throw new ViaError('cgroup', 'net_cls', 'not in this kernel', { hint: NO_NET_CLS });
  const [, hierarchy, , enabled] = netCls;
  if (enabled !== '1') throw new ViaError('cgroup', 'net_cls', 'disabled', { hint: NO_NET_CLS });
  const sharing = rows.filter(([name, number]) => number === hierarchy && number !== '0' && name !== undefined);
  return sharing.length === 0 ? 'net_cls' : sharing.map(([name]) => name).join(',');
}
