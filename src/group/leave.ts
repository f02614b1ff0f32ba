import { ignoring, membersOf, moveInto, removeCgroup } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { trace } from '../trace.js';
import type { Membership } from './enter.js';
import { look, lookJobs, SWEEPING } from './look.js';
import { lockAndRun, unlock } from './lock.js';
import { settle, type Tell } from './settle.js';

/**
 * Leaves a group before this process ends; the last one takes everything away that nobody needs any more. First out,
 * then look who is still in: of two that leave at the same moment, at least one sees that nobody is. Throws when taking
 * away fails; the next via tries again.
 */
export async function leave({ path }: Membership, tell: Tell): Promise<void> {
  moveInto(findHierarchy().path);
  // A group that is gone: whoever took it may be in another network namespace, and took nothing of this one.
  const members = ignoring(['ENOENT', 'ENODEV'], () => membersOf(path)) ?? [];
  if (members.length > 0) return;
  const { lock, done } = await lockAndRun(lookJobs(true));
  trace('read');
  try {
    if (!(await removeCgroup(path))) return;
    tell(() => [`rmdir ${path}`]);
    settle(look(done, SWEEPING), [], lock, tell);
  } finally {
    unlock(lock);
  }
}
