import { lstatSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { ignoring } from './cgroup.js';
import { findHierarchy, type Hierarchy } from './hierarchy.js';
import { inPlace, unusable } from './place.js';
import { runTools, toolError, type Job } from './tools.js';

/** The process that mounts the hierarchy; its mount point has to be there. */
export const mountJob = ({ controllers, path }: Pick<Hierarchy, 'controllers' | 'path'>): Job => ({
  argv: ['mount', '-n', '-t', 'cgroup', '-o', controllers, 'via', path],
});

/**
 * Mounts the hierarchy where it is not: a group lives on when somebody unmounts it, and one that was made in another
 * mount namespace (a service's) is not seen in ours. Whoever has not seen it must not call it gone.
 */
export function mountAgain(): Hierarchy {
  const hierarchy = findHierarchy();
  if (hierarchy.mounted) return hierarchy;
  makeMountPoint(hierarchy.path);
  for (const done of runTools([mountJob(hierarchy)]) ?? []) if (done.status !== 0) throw toolError('cgroup', done);
  return { ...hierarchy, mounted: true };
}

/** Whether there are groups in the hierarchy of net_cls, anybody's, mounted or not (its root counts as one). */
export function hasGroups(): boolean {
  const text = ignoring(['ENOENT'], () => readFileSync('/proc/cgroups', 'utf8')) ?? '';
  return Number(/^net_cls\t\d+\t(\d+)/m.exec(text)?.[1]) > 1;
}

/**
 * Makes the directory that our own mount goes on; an empty file in its place goes. Throws where there is anything else, a
 * link above all, and where /run cannot be written.
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
