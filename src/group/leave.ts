import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupPath, ignoring, membersOf } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { moveHome, returnHome } from '../kernel/home.js';
import { keeperLives, wakeKeeper } from '../kernel/keeper.js';
import { mountAgain } from '../kernel/mount.js';
import { commandLine, scriptIn } from '../kernel/proc.js';
import { removeCgroup } from '../kernel/removal.js';
import { keeperFile } from '../plan/files.js';
import { byOtherVersion } from '../plan/marking/rules.js';
import { trace } from '../trace.js';
import type { Membership } from './membership.js';
import { linger } from './linger.js';
import { lookJobs } from './look.js';
import { lockAndRun } from '../state/lock.js';
import { retract } from './retract.js';
import { transaction, type Tell } from './transaction.js';

/**
 * Leaves a group before this process ends. The last member removes everything that is not needed any more. It first
 * leaves and then looks for members, so that of two that leave at the same moment at least one finds the group empty.
 * Throws if the removal fails; the next via tries again. A user's process can only go back to a group of his own.
 */
export async function leave({ uuid, path, home, whole, made, ofUser }: Membership, tell: Tell): Promise<void> {
  if (ofUser === true) return returnHome(home);
  await linger(path, isVia);
  const isOut = moveHome(home, findHierarchy().path, whole);
  if (isOut && !(await empties(path))) return;
  if (isOut && made !== undefined && retract(path, made, tell)) return;
  const held = await lockAndRun(lookJobs(), true);
  trace('read');
  return transaction(held, { tell }, async (change) => {
    const root = mountAgain().path;
    if (!isOut) moveHome(home, root, whole);
    const now = cgroupPath(root, uuid);
    if (!(await removeCgroup(now))) return;
    tell(() => [`rmdir ${now}`]);
    const { groups, facts, firewall } = change.system;
    // Rules of another version stay as they are for the other groups; its keeper removes the rest.
    const keeper = keeperFile(facts.namespace);
    if (groups.length > 0 && byOtherVersion(firewall.things).size > 0 && keeperLives(keeper)) wakeKeeper(keeper);
    else change.settle();
  });
}

/** The longest wait for processes that end with the command, in milliseconds. All waits add up to 31. */
const LONGEST = 16;

/**
 * True if the group has no member. Processes that end just after the command (helpers of a browser, the rest of a
 * pipeline) are waited for, unless another via is a member: it looks by itself later. A group that was removed has no
 * member; a via of another network namespace may have removed it, without its rules here.
 */
async function empties(path: string): Promise<boolean> {
  for (let wait = 1; ; wait *= 2) {
    const members = ignoring(['ENOENT', 'ENODEV'], () => membersOf(path)) ?? [];
    if (members.length === 0) return true;
    if (wait > LONGEST || members.some(isVia)) return false;
    await sleep(wait);
  }
}

/** True if the process runs our script. */
const isVia = (pid: number): boolean => scriptIn(commandLine(pid) ?? []) !== undefined;
