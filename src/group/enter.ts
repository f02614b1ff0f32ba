import { v4 as newUuid } from 'uuid';
import { cgroupPath, classIds, ignoring, moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { netnsOf } from '../kernel/proc.js';
import { isOurs, tableOfLine } from '../kernel/routing.js';
import { runTools } from '../kernel/tools.js';
import { chooseSlot, type Taken } from '../plan/slots.js';
import { FAMILIES, keyOf, type Group, type WayOut } from '../plan/wayout.js';
import { look, lookJobs, SWEEPING, WATCHING, type System } from './look.js';
import { lockAndRun, unlock, type Lock } from './lock.js';
import { readRecords, recordText } from './records.js';
import { changesFor, lookAgain, settle, type Tell } from './settle.js';

/** What a launch asks for: the gateway and its options as text, and how they resolve. */
export interface Ask {
  readonly text: string;
  readonly resolve: (system: System) => WayOut;
}

/** The group that this process is a member of. */
export interface Membership {
  readonly uuid: string;
  readonly path: string;
}

/**
 * Makes this process a member of the group of a way out, which is made, or verified and mended, before. `joined` is
 * told each group as it is entered, so that it can be left whatever happens next. Throws when anything fails; what was
 * changed is undone then.
 */
export async function enter(ask: Ask, tell: Tell, joined: (membership: Membership) => void): Promise<void> {
  if (await enterKnown(ask, joined)) return;
  const { lock, done } = await lockAndRun(lookJobs(true));
  try {
    const system = look(done, SWEEPING);
    const { group, facts } = groupFor(ask, system);
    const path = cgroupPath(facts.hierarchy.path, group.uuid);
    const known = system.groups.some(({ uuid }) => uuid === group.uuid);
    settle({ ...system, facts }, known ? [] : [group], lock, tell);
    tell([`echo $$ > ${path}/cgroup.procs`]);
    joined({ uuid: group.uuid, path });
    await moveInto(path);
  } catch (error) {
    undo(lock, tell);
    throw error;
  } finally {
    unlock(lock);
  }
}

/** The group of a way out: the one there is, or a new one on a free slot; and the facts with its record. */
export function groupFor(ask: Ask, system: System): { group: Group; facts: System['facts'] } {
  const wayOut = ask.resolve(system);
  const key = keyOf(wayOut);
  const known = system.groups.find((group) => keyOf(group.wayOut) === key);
  if (known !== undefined) return { group: known, facts: system.facts };
  const group = { uuid: newUuid(), ...chooseSlot(key, takenIn(system)), wayOut };
  const record = recordText({ asked: ask.text, namespace: system.facts.namespace, key });
  return { group, facts: { ...system.facts, records: new Map([...system.facts.records, [group.uuid, record]]) } };
}

/**
 * Without the lock, the way into a group that somebody is in already: joins the one that the record of the same words
 * names, and meanwhile looks whether all is as it ought to be. It needs no lock: a directory with a member cannot be
 * removed, and its rules go only after it.
 */
async function enterKnown(ask: Ask, joined: (membership: Membership) => void): Promise<boolean> {
  const hierarchy = findHierarchy();
  if (!hierarchy.mounted) return false;
  const namespace = netnsOf('self');
  const records = [...readRecords().groups];
  const hint = records.find(([, { record }]) => record.asked === ask.text && record.namespace === namespace);
  if (hint === undefined) return false;
  const membership = { uuid: hint[0], path: cgroupPath(hierarchy.path, hint[0]) };
  const moving = ignoring(['ENOENT', 'ENODEV'], () => moveInto(membership.path));
  if (moving === undefined) return false;
  joined(membership);
  const moved = moving.then(
    () => true,
    () => false,
  );
  const system = look(runTools(lookJobs(true)) ?? [], WATCHING);
  const key = keyOf(ask.resolve(system));
  const group = system.groups.find(({ uuid }) => uuid === membership.uuid);
  const intact = group !== undefined && keyOf(group.wayOut) === key && changesFor(system, []).length === 0;
  return (await moved) && intact;
}

/** Whatever of a set-up that failed is there: wanted is what is alive without it. */
function undo(lock: Lock, tell: Tell): void {
  try {
    settle(lookAgain(lock), [], lock, tell);
  } catch {
    // What is left is swept by the next via; the first error is the one to tell.
  }
}

/** What is in use here that is not ours, and the class ids of the machine. */
function takenIn({ routing, groups, hierarchy }: System): Taken {
  const rules = FAMILIES.flatMap((family) => routing[family].rules).filter((rule) => !isOurs(rule));
  const routes = FAMILIES.flatMap((family) => routing[family].routes).filter((route) => !isOurs(route));
  return {
    slots: new Set(groups.map(({ slot }) => slot)),
    preferences: new Set(rules.map(({ priority }) => priority)),
    tables: new Set([...rules, ...routes].map(tableOfLine)),
    marks: rules.flatMap(({ fwmark, fwmask }) =>
      fwmark === undefined ? [] : [{ value: Number(fwmark), mask: Number(fwmask ?? 0xffffffff) }],
    ),
    classIds: hierarchy.mounted ? classIds(hierarchy.path) : new Set(),
  };
}

