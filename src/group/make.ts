import { cgroupPath } from '../kernel/cgroup.js';
import { groupFor, neighboursFor, withUsableFirewall, type Ask } from './choose.js';
import type { Settled, Transaction } from './transaction.js';

/** A group that has all its rules. */
interface Made {
  readonly uuid: string;
  readonly path: string;
  readonly namespace: string;
  readonly hierarchy: string;
  /** Everything that making it left, if it is the first group of the machine. */
  readonly made: Settled | undefined;
}

/** Makes the group of a way out, or verifies and mends it. Throws if anything fails. */
export async function makeGroup(change: Transaction, wish: Ask): Promise<Made> {
  const ask = withUsableFirewall(wish, change.system);
  const system = ask === wish ? change.system : change.lookAgain(ask.firewall);
  const { group, facts } = groupFor(ask, system);
  const isFirst = system.cgroups.length === 0;
  const neighbours = await neighboursFor(group, { ...system, facts }, change.lock, ask.asked);
  ask.check?.();
  const settled = change.settle([group], { ...facts, neighbours });
  const hierarchy = facts.hierarchy.path;
  return {
    uuid: group.uuid,
    path: cgroupPath(hierarchy, group.uuid),
    namespace: facts.namespace,
    hierarchy,
    made: isFirst ? settled : undefined,
  };
}
