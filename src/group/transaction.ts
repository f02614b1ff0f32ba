import { apply } from '../kernel/apply.js';
import { cgroupPath } from '../kernel/cgroup.js';
import { forgetJobs } from '../kernel/forget.js';
import { runTools, type Done } from '../kernel/tools.js';
import type { Facts } from '../plan/facts.js';
import { firewalls } from '../plan/marking/firewalls.js';
import { plan } from '../plan/plan.js';
import { render } from '../plan/render.js';
import type { Change, Firewall, Thing } from '../plan/things.js';
import { runtimeDirectory } from '../plan/wanted.js';
import type { Group } from '../plan/wayout.js';
import { unlock, type Held, type Lock } from '../state/lock.js';
import { stamp } from '../state/stamp.js';
import { trace } from '../trace.js';
import { changesFor, wantedFor } from './changes.js';
import { look, lookJobs, REMOVE_EMPTY, type System } from './look.js';

/** Reports changes as they happen. */
export type Tell = (lines: () => readonly string[]) => void;

/** Everything that exists after a change, and the stamp in the lock, which shows later that nothing changed since. */
export interface Settled {
  readonly stamp: string;
  readonly things: readonly Thing[];
  /** The groups that are alive then. */
  readonly groups: readonly Group[];
}

/**
 * The one frame for every change: calls `act` with the lock held, and unlocks. `held` is the lock, with the results of
 * `lookJobs` that ran under it. With `undo` everything that no alive group needs is removed if `act` throws.
 */
export async function transaction<T>(
  held: Held,
  { tell, undo = false }: { readonly tell: Tell; readonly undo?: boolean },
  act: (change: Transaction) => Promise<T> | T,
): Promise<T> {
  const change = new Transaction(held.lock, held.done, tell);
  try {
    return await act(change);
  } catch (error) {
    if (undo) change.undo();
    throw error;
  } finally {
    unlock(held.lock);
  }
}

/** The changes of one holder of the lock. */
export class Transaction {
  #system: System | undefined;
  readonly #firewalls = new Set<Firewall>();
  #wasMounted: boolean | undefined;

  constructor(
    readonly lock: Lock,
    readonly done: readonly Done[],
    readonly tell: Tell,
  ) {}

  /** The system as it was seen last. The first access removes empty groups. */
  get system(): System {
    return this.#system ?? this.#see(look(this.done, REMOVE_EMPTY));
  }

  /** Looks again, also at these firewalls. */
  lookAgain(...more: readonly Firewall[]): System {
    for (const firewall of more) this.#firewalls.add(firewall);
    const done = runTools(lookJobs(...this.#firewalls), { fd: this.lock.fd, take: false, shielded: true }) ?? [];
    try {
      return this.#see(look(done, REMOVE_EMPTY));
    } catch (error) {
      // If the hierarchy was not mounted at first, the traces are from this set-up, and no group is hidden.
      if (this.#wasMounted !== false) throw error;
      return this.#see(look(done, { ...REMOVE_EMPTY, mounts: false }));
    }
  }

  #see(system: System): System {
    this.#wasMounted ??= system.hierarchy.mounted;
    this.#system = system;
    return system;
  }

  /**
   * Makes wanted and seen equal, for the groups that are alive and for `more`, with these facts. Returns everything that
   * exists then, if the first try changed anything. Throws if the second try fails too.
   */
  settle(more: readonly Group[] = [], facts: Facts = this.system.facts): Settled | undefined {
    const system = { ...this.system, facts };
    return this.make(
      () => {
        const things = wantedFor(system, more);
        return { things, changes: plan(things, system.things) };
      },
      more,
      system,
    );
  }

  /** Makes these changes; after a failure it looks again and settles. */
  make(
    decide: () => { readonly things: readonly Thing[]; readonly changes: readonly Change[] },
    more: readonly Group[] = [],
    before = this.system,
  ): Settled | undefined {
    try {
      const { things, changes } = decide();
      const text = this.apply(changes, this.lock.isNew);
      return text === undefined ? undefined : { stamp: text, things, groups: [...before.groups, ...more] };
    } catch (error) {
      try {
        // Another tool's change can make one of ours fail: a device that was removed took its routes along.
        this.apply(changesSince(before, more, this.lookAgain(...more.map(({ firewall }) => firewall))));
      } catch {
        throw error;
      }
      return undefined;
    }
  }

  /** Makes these changes once. Returns the stamp, if there were any. Throws at the first that fails. */
  apply(changes: readonly Change[], isFirst = false): string | undefined {
    if (changes.length === 0) return undefined;
    this.tell(() => [...(isFirst ? render([MADE], firewalls) : []), ...render(changes, firewalls)]);
    trace('plan');
    forget(this.system);
    const text = stamp(this.lock);
    apply(changes, firewalls, this.lock.fd);
    return text;
  }

  /** Removes everything that no alive group needs. On an error the rest is left to the next via. */
  undo(): void {
    try {
      this.lookAgain();
      this.settle();
    } catch {
      // The first error is the one to report.
    }
  }
}

/** Makes conntrack forget the entries of removed groups, which only the rules still name. */
function forget({ firewall, groups }: System): void {
  const gone = firewall.groups.filter(({ uuid }) => !groups.some((group) => group.uuid === uuid));
  const jobs = forgetJobs(gone);
  if (jobs.length > 0) runTools(jobs);
}

/** The change that taking the lock made. */
const MADE: Change = { do: 'add', thing: runtimeDirectory() };

function changesSince(before: System, more: readonly Group[], now: System): Change[] {
  const facts = { ...now.facts, records: new Map([...before.facts.records, ...now.facts.records]) };
  // The new look has removed groups without members, so those of `more` are made again.
  const ended = more.filter(({ uuid }) => !now.groups.some((group) => group.uuid === uuid));
  const paths = ended.map(({ uuid }) => cgroupPath(now.hierarchy.path, uuid));
  const things = now.things.filter((thing) => thing.kind !== 'cgroup' || !paths.includes(thing.path));
  return changesFor({ ...now, facts, things }, more);
}
