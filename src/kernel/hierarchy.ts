import { existsSync, readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { OWN_MOUNT } from '../plan/files.js';
import { ignoring } from './cgroup.js';

/** The mount of the net_cls hierarchy, present or future. */
export interface Hierarchy {
  readonly path: string;
  /** The mount is via's own. */
  readonly own: boolean;
  readonly mounted: boolean;
  /** The kernel has no hierarchy of net_cls yet. */
  readonly isNew?: true;
  /** The controllers as mount options. */
  readonly controllers: string;
  /** The release agent of the hierarchy, if the mount is via's own. */
  readonly agent?: string;
}

/**
 * Finds a writable mount of the net_cls hierarchy (proc(5), mountinfo), else gives the mount point that via will use.
 * Throws if this kernel has no net_cls.
 */
export function findHierarchy(): Hierarchy {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => (line.includes('net_cls') ? parseMount(line) : []))
    // Another mount on a parent directory may hide it.
    .filter(({ path }) => existsSync(`${path}/cgroup.procs`));
  const mount = mounts.find(({ path }) => path === OWN_MOUNT) ?? mounts[0];
  if (mount !== undefined) return { ...mount, own: mount.path === OWN_MOUNT, mounted: true };
  return { path: OWN_MOUNT, own: true, mounted: false, ...controllers() };
}

/** Parses `36 35 98:0 /root /mount/point rw,noatime - cgroup source rw,net_cls`. */
function parseMount(line: string): { path: string; controllers: string }[] {
  const [, point, options, type, superOptions] = /^\d+ \d+ \S+ \S+ (\S+) (\S+) .*?- (\S+) \S+ (\S+)$/.exec(line) ?? [];
  if (point === undefined || type !== 'cgroup' || superOptions === undefined) return [];
  const names = superOptions.split(',').filter((name) => name.startsWith('net_'));
  const writable = options?.split(',').includes('rw') === true && superOptions.split(',').includes('rw');
  if (!names.includes('net_cls') || !writable) return [];
  return [{ path: unescape(point), controllers: names.join(',') }];
}

/** proc(5): space, tab, newline and backslash are written in octal. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

/** The hint for a kernel without net_cls. */
export const NO_NET_CLS =
  'the kernel needs CONFIG_CGROUP_NET_CLASSID, and no cgroup_no_v1=net_cls or =all at its start';

/** The controllers to mount. An existing hierarchy can only be mounted with all controllers that have its number. */
function controllers(): Pick<Hierarchy, 'controllers' | 'isNew'> {
  const text = ignoring(['ENOENT'], () => readFileSync('/proc/cgroups', 'utf8')) ?? '';
  const rows = text.split('\n').map((line) => line.split('\t'));
  const netCls = rows.find(([name]) => name === 'net_cls');
  if (netCls === undefined) throw new ViaError('cgroup', 'net_cls', 'not in this kernel', { hint: NO_NET_CLS });
  const [, hierarchy, , enabled] = netCls;
  if (enabled !== '1') throw new ViaError('cgroup', 'net_cls', 'disabled', { hint: NO_NET_CLS });
  const sharing = rows.filter(([name, number]) => number === hierarchy && number !== '0' && name !== undefined);
  if (hierarchy === '0') return { controllers: 'net_cls', isNew: true };
  return { controllers: sharing.map(([name]) => name).join(',') };
}
