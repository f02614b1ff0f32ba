import { findHierarchy } from '../kernel/hierarchy.js';
import { wakeKeeper } from '../kernel/keeper.js';
import { keeperFile } from '../plan/files.js';
import type { Group } from '../plan/wayout.js';
import { lockAndRun } from '../state/lock.js';
import type { Ask } from './choose.js';
import { lookJobs } from './look.js';
import { makeGroup } from './make.js';
import { whileGone } from './membership.js';
import { transaction, type Tell } from './transaction.js';

/** Moves processes into the group with this path. */
type MoveIn = (path: string) => Promise<void> | void;

/**
 * Under the lock: makes the group of a way out, or verifies and mends it, and calls `move` to move other processes into
 * it. Groups without members are removed then: this one, and those that the processes left. Throws if the group cannot
 * be made; nothing is left then.
 */
export const attachTo = (ask: Ask, tell: Tell, move: MoveIn): Promise<void> =>
  whileGone(async () => {
    const held = await lockAndRun(lookJobs(ask.firewall));
    return transaction(held, { tell, undo: true }, async (change) => {
      const { path, namespace } = await makeGroup(change, ask);
      await move(path);
      wakeKeeper(keeperFile(namespace));
      change.lookAgain(ask.firewall);
      change.settle();
    });
  });

/** Moves processes to the root of the hierarchy, with this path. `groups` are the alive groups of this namespace. */
export type MoveOut = (root: string, groups: readonly Group[]) => void;

/** Under the lock: calls `move` to move processes out of their groups, and removes the groups without members. */
export async function detachFrom(tell: Tell, move: MoveOut): Promise<void> {
  const held = await lockAndRun(lookJobs());
  return transaction(held, { tell }, (change) => {
    move(findHierarchy().path, change.system.groups);
    change.lookAgain();
    change.settle();
  });
}
