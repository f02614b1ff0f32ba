import { lostBecause } from '../gateway/health.js';
import { isViaError } from '../failure.js';
import { describe } from '../kernel/process.js';
import { missingOf } from '../plan/drift.js';
import { byOtherVersion } from '../plan/marking/rules.js';
import type { Count } from '../plan/marking/seen.js';
import { hex, markOf, MASK, tableOf } from '../plan/numbers.js';
import type { Shown } from '../plan/table.js';
import type { Change } from '../plan/things.js';
import { optionsOf, wayOf, type Group } from '../plan/wayout.js';
import { parseAsked } from '../state/asked.js';
import type { System } from './look.js';
import { changesFor } from './changes.js';
import { stateOfGroup, wasLost } from '../state/state.js';

/** The state of a group. */
export type Condition = 'ok' | 'lost' | 'closed' | 'drifted';

/** A group as `via status` reports it: the shown fields, and more for the JSON. */
export interface Status extends Shown {
  readonly lan?: boolean;
  readonly state?: Condition;
  /** The names of the things that are missing or different. */
  readonly missing?: readonly string[];
  readonly stopped?: Count;
}

/** The groups of this network namespace, sorted by gateway. */
export function statusOf(system: System): Status[] {
  const changes = drift(system);
  return system.groups.map((group) => ofGroup(group, system, changes)).sort(byName);
}

/**
 * The changes that all groups need; not those of rules of another version of via, which has its own. The message of the
 * error instead, if another tool uses our names.
 */
export function drift(system: System): Change[] | string {
  const others = byOtherVersion(system.firewall.things);
  const isOther = ({ thing }: Change): boolean =>
    thing.kind === 'firewall' ? others.has(thing.by) : thing.kind === 'keeper' && others.size > 0;
  try {
    return changesFor(system, []).filter((change) => !isOther(change));
  } catch (error) {
    if (isViaError(error)) return error.message;
    throw error;
  }
}

function ofGroup(group: Group, system: System, changes: readonly Change[] | string): Status {
  const { uuid, slot, wayOut, firewall } = group;
  const wish = parseAsked(system.records.groups.get(uuid)?.record.asked);
  const missing = typeof changes === 'string' ? [changes] : missingOf(group, changes);
  const members = system.cgroups.find((cgroup) => cgroup.uuid === uuid)?.members ?? [];
  return {
    id: uuid,
    ...(wish === undefined ? {} : { gateway: wish.gateway }),
    options: optionsOf(wayOut),
    ipv4: wayOf(wayOut, 4),
    ipv6: wayOf(wayOut, 6),
    lan: wayOut.lan,
    firewall,
    table: tableOf(slot),
    mark: `${hex(markOf(slot))}/${hex(MASK)}`,
    ...conditionOf(group, system, missing),
    missing,
    sent: system.firewall.sent.get(slot) ?? NOTHING,
    stopped: system.firewall.stopped.get(slot) ?? NOTHING,
    members: describe(members),
  };
}

const NOTHING: Count = { packets: 0, bytes: 0 };

/** The state and its reason. Only the keeper knows that a group is closed; the gateway's state is looked at now. */
function conditionOf(
  { uuid, wayOut }: Group,
  { routing, facts }: System,
  missing: readonly string[],
): { state: Condition; why: string } {
  const kept = stateOfGroup(uuid);
  if (kept.is === 'closed') return { state: 'closed', why: kept.why };
  const lost = lostBecause(wayOut, { routing, v6: facts.v6 }, (family) => wasLost(uuid, family));
  if (lost !== undefined) return { state: 'lost', why: lost };
  if (missing.length === 0) return { state: 'ok', why: '' };
  return { state: 'drifted', why: `missing: ${few(missing)}` };
}

/** The first three names, and the number of the others. */
const few = (names: readonly string[]): string =>
  [...names.slice(0, 3), ...(names.length > 3 ? [`${names.length - 3} more`] : [])].join(', ');

const byName = (a: Status, b: Status): number => ((a.gateway ?? a.id) < (b.gateway ?? b.id) ? -1 : 1);
