import { apply } from '../kernel/apply.js';
import { cgroupPath } from '../kernel/cgroup.js';
import { forgetJobs } from '../kernel/forget.js';
import { runTools } from '../kernel/tools.js';
import { firewalls } from '../plan/marking/firewalls.js';
import { plan } from '../plan/plan.js';
import { render } from '../plan/render.js';
import { trace } from '../trace.js';
import type { Change, Firewall, Thing } from '../plan/things.js';
import { runtimeDirectory, wanted } from '../plan/wanted.js';
import type { Group } from '../plan/wayout.js';
import { refuseForeign } from './foreign.js';
import { look, lookJobs, SWEEPING, type System } from './look.js';
import type { Lock } from './lock.js';
import { stamp } from './stamp.js';

/** Where the changes are told as they happen. */
export type Tell = (lines: () => readonly string[]) => void;

/** All that is there after a change, and the stamp in the lock by which whoever made it knows that it still is. */
export interface Settled {
  readonly stamp: string;
  readonly things: readonly Thing[];
  /** The groups that are alive then. */
  readonly groups: readonly Group[];
}

/**
 * What has to change for these groups, beside the others that are alive. Throws where what they need is somebody else's.
 */
export const changesFor = (system: System, more: readonly Group[]): Change[] =>
  plan(wantedFor(system, more), system.things);

/** What has to be there then. */
export function wantedFor(system: System, more: readonly Group[]): Thing[] {
  const isNew = (group: Group): boolean => !system.groups.some(({ uuid }) => uuid === group.uuid);
  const groups = [...system.groups, ...more.filter(isNew)];
  refuseForeign(system, groups);
  return wanted(groups, system.facts, firewalls);
}

/**
 * Under the lock: makes wanted and seen equal. What others did in the meantime can make one change fail (a device that
 * went took its routes along), so after a failure it looks once more; a group of `more` that was alive is made again
 * where it has ended since. Throws when the second try fails too. Gives all that is there now, where the first try has
 * changed something.
 */
export function settle(system: System, more: readonly Group[], lock: Lock, tell: Tell): Settled | undefined {
  try {
    const things = wantedFor(system, more);
    const groups = [...system.groups, ...more];
    forget(system, groups);
    const changes = plan(things, system.things);
    const tellAll = lock.isNew
      ? (lines: () => readonly string[]) => tell(() => [...render([MADE], firewalls), ...lines()])
      : tell;
    const stamp = make(changes, lock, tellAll);
    return stamp === undefined ? undefined : { stamp, things, groups };
  } catch (error) {
    try {
      make(changesSince(system, more, lookAgain(lock, system, ...more.map(({ firewall }) => firewall))), lock, tell);
    } catch {
      throw error;
    }
    return undefined;
  }
}

/** Has connection tracking forget what groups have sent that are gone: those that only the rules still name. */
function forget({ firewall }: System, alive: readonly Group[]): void {
  const gone = firewall.groups.filter(({ uuid }) => !alive.some((group) => group.uuid === uuid));
  const jobs = forgetJobs(gone);
  if (jobs.length > 0) runTools(jobs);
}

/** What making the lock has changed already. */
const MADE: Change = { do: 'add', thing: runtimeDirectory() };

function changesSince(before: System, more: readonly Group[], now: System): Change[] {
  const facts = { ...now.facts, records: new Map([...before.facts.records, ...now.facts.records]) };
  // Looking has removed what had no member any more.
  const ended = more.filter(({ uuid }) => !now.groups.some((group) => group.uuid === uuid));
  const paths = ended.map(({ uuid }) => cgroupPath(now.hierarchy.path, uuid));
  const things = now.things.filter((thing) => thing.kind !== 'cgroup' || !paths.includes(thing.path));
  return changesFor({ ...now, facts, things }, more);
}

/**
 * Looks while the lock is held already. What was seen `before` under it without a mount of the hierarchy was seen
 * rightly: where it cannot be mounted now, the traces there are come from our own set-up, and no group is hidden.
 */
export function lookAgain({ fd }: Lock, before: System | undefined, ...firewalls: readonly Firewall[]): System {
  const done = runTools(lookJobs(...firewalls), { fd, take: false, shielded: true }) ?? [];
  try {
    return look(done, SWEEPING);
  } catch (error) {
    if (before?.hierarchy.mounted !== false) throw error;
    return look(done, { ...SWEEPING, mounts: false });
  }
}

/** Under the lock: makes these changes. Gives the stamp it leaves, if anything is to be changed. */
export function make(changes: readonly Change[], lock: Lock, tell: Tell): string | undefined {
  if (changes.length === 0) return undefined;
  tell(() => render(changes, firewalls));
  trace('plan');
  const text = stamp(lock);
  apply(changes, firewalls, lock.fd);
  return text;
}
