import { cgroupPath } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { wakeKeeper } from '../kernel/keeper.js';
import { keeperFile } from '../plan/files.js';
import type { Group } from '../plan/wayout.js';
import { groupFor, neighboursFor, possible, type Ask } from './choose.js';
import { look, lookJobs, SWEEPING } from './look.js';
import { lockAndRun, unlock } from '../state/lock.js';
import { lookAgain, settle, type Tell } from './settle.js';

/** Moves processes into the group with this path. */
export type Move = (path: string) => Promise<void> | void;

/**
 * Under the lock: makes the group of a way out, or verifies and mends it, and has `move` move others into it. What nobody
 * is in then, this group or those that they came from, is taken away. Throws where the group cannot be made; nothing is
 * left then.
 */
export async function admit(wish: Ask, tell: Tell, move: Move): Promise<void> {
  const { lock, done } = await lockAndRun(lookJobs(wish.firewall));
  let ask = wish;
  try {
    let system = look(done, SWEEPING);
    ask = possible(wish, system);
    if (ask !== wish) system = lookAgain(lock, system, ask.firewall);
    try {
      const { group, facts } = groupFor(ask, system);
      const neighbours = await neighboursFor(group, { ...system, facts }, lock);
      settle({ ...system, facts: { ...facts, neighbours } }, [group], lock, tell);
      await move(cgroupPath(facts.hierarchy.path, group.uuid));
      wakeKeeper(keeperFile(facts.namespace));
    } catch (error) {
      sweepAfter(error, () => settle(lookAgain(lock, system, ask.firewall), [], lock, tell));
    }
    settle(lookAgain(lock, system, ask.firewall), [], lock, tell);
  } finally {
    unlock(lock);
  }
}

/** Throws the error that was first; what then fails too is left for the next via. */
function sweepAfter(error: unknown, sweep: () => void): never {
  try {
    sweep();
  } catch {
    // The first is the one to tell.
  }
  throw error;
}

/** Moves processes to the root of the hierarchy, with this path; out of these groups, which are alive here. */
export type Dismissal = (root: string, groups: readonly Group[]) => void;

/** Under the lock: has `move` move processes out of their groups, and takes away those that nobody is in then. */
export async function dismiss(tell: Tell, move: Dismissal): Promise<void> {
  const { lock, done } = await lockAndRun(lookJobs());
  try {
    const before = look(done, SWEEPING);
    move(findHierarchy().path, before.groups);
    settle(lookAgain(lock, before), [], lock, tell);
  } finally {
    unlock(lock);
  }
}
