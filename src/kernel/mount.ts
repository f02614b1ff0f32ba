import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from './cgroup.js';
import { findHierarchy, type Hierarchy } from './hierarchy.js';
import { runTools, toolError, type Job } from './tools.js';

/** The process that mounts the hierarchy. The mount point must exist. */
export const mountJob = ({ controllers, path }: Pick<Hierarchy, 'controllers' | 'path'>): Job => ({
  argv: ['mount', '-n', '-t', 'cgroup', '-o', controllers, 'via', path],
});

/**
 * Mounts the hierarchy if it is not mounted. A group lives on after an unmount, and a group that was made in another
 * mount namespace (a service's) is not visible in ours. Without the mount such a group would be taken for removed.
 */
export function mountAgain(): Hierarchy {
  const hierarchy = findHierarchy();
  if (hierarchy.mounted) return hierarchy;
  makeMountPoint(hierarchy.path);
  for (const done of runTools([mountJob(hierarchy)]) ?? []) if (done.status !== 0) throw toolError('cgroup', done);
  return { ...hierarchy, mounted: true };
}

/** True if the net_cls hierarchy has groups, mounted or not. The count of /proc/cgroups includes the root. */
export function hasGroups(): boolean {
  const text = ignoring(['ENOENT'], () => readFileSync('/proc/cgroups', 'utf8')) ?? '';
  return Number(/^net_cls\t\d+\t(\d+)/m.exec(text)?.[1]) > 1;
}

/** Makes our own mount point. Throws if /run cannot be written. */
export function makeMountPoint(path: string): void {
  try {
    if (!existsSync(path)) mkdirSync(path, 0o700);
  } catch (error) {
    throw new ViaError('file', path, wordsOf(error), { cause: error, hint: 'via needs a writable /run' });
  }
}
