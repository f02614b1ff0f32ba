import { knownAhead, takeAhead } from '../kernel/ahead.js';
import { removed } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { wakeKeeper } from '../kernel/keeper.js';
import { netnsOf } from '../kernel/proc.js';
import { runTools } from '../kernel/tools.js';
import { keeperFile } from '../plan/files.js';
import { lockAndLook } from '../state/lock.js';
import { readRecords } from '../state/records.js';
import { trace } from '../trace.js';
import { changesFor } from './changes.js';
import { groupIn, type Ask } from './choose.js';
import { keepIntact, stateOf, wasIntact } from './intact.js';
import { look, lookJobs, READ_ONLY } from './look.js';
import { makeGroup } from './make.js';
import { joinGroup, whileGone, type Membership } from './membership.js';
import { transaction, type Tell } from './transaction.js';

/**
 * Makes this process a member of the group of a way out. The group is made, or verified and mended, before. Throws if
 * anything fails; the changes are undone then.
 */
export const enter = (ask: Ask, tell: Tell): Promise<Membership> =>
  whileGone(async () => enterKnown(ask, tell) ?? (await enterLocked(ask, tell)));

async function enterLocked(ask: Ask, tell: Tell): Promise<Membership> {
  const held = await lockAndLook(lookJobs(ask.firewall));
  trace('read');
  return transaction(held, { tell, undo: true }, async (change) => {
    const { uuid, path, hierarchy, namespace, made } = await makeGroup(change, ask);
    trace('change');
    ask.check?.();
    const membership = joinGroup(uuid, hierarchy, tell);
    if (membership === undefined) throw removed(path);
    wakeKeeper(keeperFile(namespace));
    return { ...membership, made };
  });
}

/**
 * Joins a group that exists and has everything that it needs, without the lock. Undefined if there is no such group, or
 * if anything must be mended or swept. The lock is not needed: a group is removed before its rules, and cannot be
 * removed while it has a member.
 */
function enterKnown(ask: Ask, tell: Tell): Membership | undefined {
  const namespace = netnsOf('self');
  const records = readRecords();
  const hint = [...records.groups].find(
    ([, { record }]) =>
      record.asked === ask.text &&
      record.owner === ask.owner &&
      record.namespace === namespace &&
      ask.accepts.includes(record.firewall),
  );
  if (hint === undefined) return undefined;
  if (knownAhead() === hint[0]) return joinGroup(hint[0], findHierarchy().path, tell);
  const jobs = lookJobs();
  const ahead = takeAhead(jobs);
  const done = (ahead?.every(({ status }) => status === 0) ? ahead : runTools(jobs)) ?? [];
  trace('read');
  const hierarchy = findHierarchy().path;
  const state = stateOf(done, records, hierarchy, namespace ?? '');
  if (wasIntact(hint[0], state)) return joinGroup(hint[0], hierarchy, tell);
  const system = look(done, READ_ONLY);
  const group = groupIn(system, ask.resolve(system), ask);
  if (group === undefined || changesFor(system, []).length > 0) return undefined;
  const membership = joinGroup(group.uuid, system.hierarchy.path, tell);
  if (membership !== undefined) keepIntact(group.uuid, state);
  return membership;
}
