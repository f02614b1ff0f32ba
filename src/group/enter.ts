import { ViaError } from '../failure.js';
import { knownAhead, takeAhead } from '../kernel/ahead.js';
import { cgroupPath, moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { wakeKeeper } from '../kernel/keeper.js';
import { isInGroup, netnsOf } from '../kernel/proc.js';
import { runTools } from '../kernel/tools.js';
import type { Firewall } from '../plan/things.js';
import { keeperFile } from '../plan/files.js';
import { trace } from '../trace.js';
import { groupFor, groupIn, neighboursFor, possible, type Ask } from './choose.js';
import { keepIntact, stateOf, wasIntact } from './intact.js';
import { look, lookJobs, SWEEPING, WATCHING, type System } from './look.js';
import { lockAndLook, unlock, type Lock } from '../state/lock.js';
import { readRecords } from '../state/records.js';
import { changesFor, lookAgain, settle, type Settled, type Tell } from './settle.js';

/** The group that this process is a member of. */
export interface Membership {
  readonly uuid: string;
  readonly path: string;
  /** It came from another group, with all its threads, and leaves with all of them. */
  readonly whole: boolean;
  /** Of a process that is not root's: what is left is taken away by the keeper. */
  readonly ofUser?: boolean;
  /** Where this group is the first of the machine: all that its making has left here, to be taken away in one go. */
  readonly made?: Settled | undefined;
}

/**
 * Makes this process a member of the group of a way out, which is made, or verified and mended, before. Throws when
 * anything fails; what was changed is undone then.
 */
export async function enter(ask: Ask, tell: Tell): Promise<Membership> {
  for (let tries = 1; ; tries++) {
    try {
      return enterKnown(ask, tell) ?? (await enterLocked(ask, tell));
    } catch (error) {
      if (!(error instanceof Gone) || tries === TRIES) throw error;
    }
  }
}

/** A via that sees another /run has another lock, and may have taken the group before we were in. */
class Gone extends ViaError {
  constructor(path: string) {
    super('cgroup', path, 'is gone again', { hint: 'try again' });
  }
}

const TRIES = 5;

async function enterLocked(wish: Ask, tell: Tell): Promise<Membership> {
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
    const neighbours = await neighboursFor(group, { ...system, facts }, lock, ask.asked);
    ask.check?.();
    const settled = settle({ ...system, facts: { ...facts, neighbours } }, [group], lock, tell);
    trace('change');
    tell(() => [`echo $$ > ${path}/cgroup.procs`]);
    const whole = isInGroup();
    ask.check?.();
    if (!moveInto(path, whole)) throw new Gone(path);
    wakeKeeper(keeperFile(facts.namespace));
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
 * Without the lock, the way into a group that is used already: looks whether all is as it ought to be, and joins. That
 * needs no lock, since a group is removed before its rules are, and cannot be removed with a member in it. Undefined
 * where there is no such group, or something to mend or to sweep.
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
  if (knownAhead() === hint[0]) return join(hint[0], findHierarchy().path, tell);
  const jobs = lookJobs();
  const ahead = takeAhead(jobs);
  const done = (ahead?.every(({ status }) => status === 0) ? ahead : runTools(jobs)) ?? [];
  trace('read');
  const hierarchy = findHierarchy().path;
  const state = stateOf(done, records, hierarchy, namespace ?? '');
  if (wasIntact(hint[0], state)) return join(hint[0], hierarchy, tell);
  const system = look(done, WATCHING);
  const group = groupIn(system, ask.resolve(system), ask);
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
