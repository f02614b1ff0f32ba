import { appendFileSync, readFileSync } from 'node:fs';
import { ignoring, membersOf, moveInto, removeCgroup } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { RUNTIME } from '../plan/wanted.js';
import type { Membership } from './enter.js';
import { look, lookJobs, SWEEPING } from './look.js';
import { lockAndRun, unlock } from './lock.js';
import { settle, type Tell } from './settle.js';

/**
 * Leaves a group before this process ends. With others inside, ending is leaving. The last one takes everything away
 * that nobody needs any more. Throws when that fails; the next via tries again.
 */
export async function leave({ uuid, path }: Membership, tell: Tell): Promise<void> {
  noteLeaving(uuid);
  if (othersIn(path, leavingOf(uuid)).length > 0) return;
  // The move waits in the kernel, in a thread of its own, while the tools look.
  const moved = moveInto(findHierarchy().path).then(
    () => undefined,
    (error: unknown) => error,
  );
  const { lock, done } = await lockAndRun(lookJobs(true));
  try {
    const error = await moved;
    if (error !== undefined) throw error;
    if (!(await removeCgroup(path, leavingOf(uuid)))) return;
    tell([`rmdir ${path}`]);
    settle(look(done, SWEEPING), [], lock, tell);
  } finally {
    unlock(lock);
  }
}

const leavingFile = (uuid: string): string => `${RUNTIME}/leaving-${uuid}`;

/**
 * Two that end at the same moment would each see the other as a user, and neither would clean up. So each says first
 * that it is leaving, and then looks who else is there: the one that looks last sees both notes.
 */
function noteLeaving(uuid: string): void {
  ignoring(['ENOENT', 'ENOSPC', 'EROFS'], () => appendFileSync(leavingFile(uuid), `${process.pid}\n`, { mode: 0o600 }));
}

/** The processes that said they are leaving. Only a hint, since process ids are used again: rmdir decides. */
function leavingOf(uuid: string): Set<number> {
  const text = ignoring(['ENOENT'], () => readFileSync(leavingFile(uuid), 'utf8')) ?? '';
  return new Set(text.split('\n').filter((line) => line !== '').map(Number));
}

function othersIn(path: string, leaving: ReadonlySet<number>): number[] {
  const members = ignoring(['ENOENT', 'ENODEV'], () => membersOf(path)) ?? [];
  return members.filter((pid) => pid !== process.pid && !leaving.has(pid));
}
