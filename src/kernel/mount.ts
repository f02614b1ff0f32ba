import { lstatSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { ignoring } from './cgroup.js';
import { findHierarchy, type Hierarchy } from './hierarchy.js';
import { inPlace, unusable } from './place.js';
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

/**
 * Makes our own mount point. An empty file in its place is removed. Throws if anything else is in its place, such as a
 * symbolic link, or if /run cannot be written.
 */
export function makeMountPoint(path: string): void {
  const found = ignoring(['ENOENT'], () => lstatSync(path));
  if (found?.isDirectory() === true) return;
  if (found !== undefined && !(found.isFile() && found.size === 0)) throw inPlace('file', path);
  try {
    if (found !== undefined) unlinkSync(path);
    mkdirSync(path, 0o700);
  } catch (error) {
    throw unusable(path, error);
  }
}
