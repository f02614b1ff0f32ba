import { v4 as newUuid } from 'uuid';
import { ViaError } from '../failure.js';
import { takeAhead } from '../kernel/ahead.js';
import { cgroupPath, classIds, moveInto } from '../kernel/cgroup.js';
import { firewallWithoutNft } from '../kernel/firewall.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { askNeighbours } from '../kernel/neighbours.js';
import { isInGroup, netnsOf } from '../kernel/proc.js';
import { isOurs, tableOfLine } from '../kernel/routing.js';
import { randomBytes } from '../kernel/random.js';
import { runTools } from '../kernel/tools.js';
import { nameOf, unknownRouters } from '../plan/marking/arrivals.js';
import { chooseSlot, type Taken } from '../plan/slots.js';
import type { Firewall } from '../plan/things.js';
import { FAMILIES, keyOf, type Group, type WayOut } from '../plan/wayout.js';
import { trace } from '../trace.js';
import { keepIntact, stateOf, wasIntact } from './intact.js';
import { look, lookJobs, SWEEPING, WATCHING, type System } from './look.js';
import { lockAndLook, unlock, type Lock } from './lock.js';
import { readRecords, recordText } from './records.js';
import { changesFor, lookAgain, settle, type Settled, type Tell } from './settle.js';

/** What a launch asks for: the gateway and its options as text, and how they resolve. */
export interface Ask {
  readonly text: string;
  readonly resolve: (system: System) => WayOut;
  /** What marks a new group, and what else a group may be marked by that is there already. */
  readonly firewall: Firewall;
  readonly accepts: readonly Firewall[];
}

/** The group that this process is a member of. */
export interface Membership {
  readonly uuid: string;
  readonly path: string;
  /** It came from another group, with all its threads, and leaves with all of them. */
  readonly whole: boolean;
  /** Where this group is the first of the machine: all that its making has left here, to be taken away in one go. */
  readonly made?: Settled | undefined;
}

/**
 * Makes this process a member of the group of a way out, which is made, or verified and mended, before. Throws when
 * anything fails; what was changed is undone then.
 */
export async function enter(wish: Ask, tell: Tell): Promise<Membership> {
  const quick = enterKnown(wish, tell);
  if (quick !== undefined) return quick;
  const { lock, done } = await lockAndLook(lookJobs(wish.firewall));
  trace('read');
  let ask = wish;
  let system: System | undefined;
  try {
    system = look(done, SWEEPING);
    ask = possible(wish, system);
    if (ask !== wish) system = lookAgain(lock, system, ask.firewall);
    const { group, facts } = groupFor(ask, system);
    const path = cgroupPath(facts.hierarchy.path, group.uuid);
    const known = system.groups.some(({ uuid }) => uuid === group.uuid);
    const more = known ? [] : [group];
    const neighbours = await neighboursFor(group, { ...system, facts }, lock);
    const settled = settle({ ...system, facts: { ...facts, neighbours } }, more, lock, tell);
    trace('change');
    tell(() => [`echo $$ > ${path}/cgroup.procs`]);
    const whole = isInGroup();
    if (!moveInto(path, whole)) throw new ViaError('cgroup', path, 'is gone again');
    const isFirst = !known && system.cgroups.length === 0;
    return { uuid: group.uuid, path, whole, made: isFirst ? settled : undefined };
  } catch (error) {
    undo(lock, system, ask.firewall, tell);
    throw error;
  } finally {
    unlock(lock);
  }
}

/**
 * The neighbours, with the routers that this group makes us ask for; not again those that other groups need already: one
 * that is not there would keep every launch waiting.
 */
async function neighboursFor(group: Group, { groups, facts }: System, lock: Lock): Promise<Map<string, string>> {
  const others = groups.filter(({ uuid }) => uuid !== group.uuid);
  const before = unknownRouters(others, facts).map(nameOf);
  const routers = unknownRouters([...others, group], facts).filter((router) => !before.includes(nameOf(router)));
  return new Map([...facts.neighbours, ...(await askNeighbours(routers, lock.fd))]);
}

/** The group of a way out: the one there is, or a new one on a free slot; and the facts with its record. */
export function groupFor(ask: Ask, system: System): { group: Group; facts: System['facts'] } {
  const wayOut = ask.resolve(system);
  const key = keyOf(wayOut);
  const known = groupIn(system, key, ask);
  const { firewall } = ask;
  const group = known ?? {
    uuid: newUuid({ random: randomBytes(16) }),
    ...chooseSlot(key, takenIn(system)),
    wayOut,
    firewall,
  };
  const { namespace, records } = system.facts;
  const record = recordText({ asked: ask.text, namespace, key, firewall: group.firewall });
  return { group, facts: { ...system.facts, records: new Map([[group.uuid, record], ...records]) } };
}

const groupIn = ({ groups }: System, key: string, { accepts }: Ask): Group | undefined =>
  groups.find((group) => keyOf(group.wayOut) === key && accepts.includes(group.firewall));

/** The same with iptables, where it would do and this kernel has no nftables. */
export function possible(ask: Ask, { firewall: { failed } }: System): Ask {
  const other = failed === undefined || ask.firewall !== 'nft' ? undefined : firewallWithoutNft();
  return other !== undefined && ask.accepts.includes(other) ? { ...ask, firewall: other } : ask;
}

/**
 * Without the lock, the way into a group that is used already: looks whether all is as it ought to be, and joins. That
 * needs no lock, since a group is removed before its rules are, and cannot be removed with a member in it. Undefined
 * where there is no such group, or something to mend or to sweep.
 */
function enterKnown(ask: Ask, tell: Tell): Membership | undefined {
  const namespace = netnsOf('self');
  const records = readRecords();
  const hint = [...records.groups].find(
    ([, { record }]) =>
      record.asked === ask.text && record.namespace === namespace && ask.accepts.includes(record.firewall),
  );
  if (hint === undefined) return undefined;
  const jobs = lookJobs();
  const ahead = takeAhead(jobs);
  const done = (ahead?.every(({ status }) => status === 0) ? ahead : runTools(jobs)) ?? [];
  trace('read');
  const hierarchy = findHierarchy().path;
  const state = stateOf(done, records, hierarchy);
  if (wasIntact(hint[0], state)) return join(hint[0], hierarchy, tell);
  const system = look(done, WATCHING);
  const key = keyOf(ask.resolve(system));
  const group = groupIn(system, key, ask);
  if (group === undefined || changesFor(system, []).length > 0) return undefined;
  const membership = join(group.uuid, system.hierarchy.path, tell);
  if (membership !== undefined) keepIntact(group.uuid, state);
  return membership;
}

/** Undefined where there is no such group any more. */
function join(uuid: string, hierarchy: string, tell: Tell): Membership | undefined {
  const path = cgroupPath(hierarchy, uuid);
  const whole = isInGroup();
  if (!moveInto(path, whole)) return undefined;
  tell(() => [`echo $$ > ${path}/cgroup.procs`]);
  return { uuid, path, whole };
}

/** Whatever of a set-up that failed is there: wanted is what is alive without it. */
function undo(lock: Lock, before: System | undefined, firewall: Firewall, tell: Tell): void {
  try {
    settle(lookAgain(lock, before, firewall), [], lock, tell);
  } catch {
    // What is left is swept by the next via; the first error is the one to tell.
  }
}

/** What is in use here that is not ours, and the class ids of the machine. */
function takenIn({ routing, groups, hierarchy, blind }: System): Taken {
  const all = FAMILIES.flatMap((family) => routing[family].rules);
  const rules = all.filter((rule) => blind || !isOurs(rule));
  const routes = FAMILIES.flatMap((family) => routing[family].routes).filter((route) => !isOurs(route));
  return {
    slots: new Set(groups.map(({ slot }) => slot)),
    preferences: new Set(rules.map(({ priority }) => priority)),
    tables: new Set([...rules, ...routes].map(tableOfLine)),
    marks: rules.flatMap(({ fwmark, fwmask }) =>
      fwmark === undefined ? [] : [{ value: Number(fwmark), mask: Number(fwmask ?? 0xffffffff) }],
    ),
    classIds: hierarchy.mounted && !blind ? classIds(hierarchy.path) : new Set(),
  };
}
