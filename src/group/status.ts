import { lostBecause } from '../gateway/health.js';
import { isViaError } from '../failure.js';
import { describe } from '../kernel/process.js';
import { missingOf } from '../plan/drift.js';
import type { Count } from '../plan/marking/listing.js';
import { hex, markOf, MASK, tableOf } from '../plan/numbers.js';
import type { Shown } from '../plan/table.js';
import type { Change } from '../plan/things.js';
import { optionsOf, wayOf, type Group } from '../plan/wayout.js';
import { parseAsked } from '../state/asked.js';
import type { System } from './look.js';
import { changesFor } from './changes.js';
import { stateOfGroup, wasLost } from '../state/state.js';

/** What becomes of what a group sends. */
export type Condition = 'ok' | 'lost' | 'closed' | 'drifted';

/** A group as `via status` has it: what is shown, and what is in the JSON besides. */
export interface Status extends Shown {
  readonly lan?: boolean;
  readonly state?: Condition;
  /** What it needs and does not have, whatever its state. */
  readonly missing?: readonly string[];
  readonly stopped?: Count;
}

/** The groups of this network namespace, by their gateways. */
export function statusOf(system: System): Status[] {
  const changes = drift(system);
  return system.groups.map((group) => ofGroup(group, system, changes)).sort(byName);
}

/** What has to change so that all groups have what they need; none where that cannot be, for somebody else has our names. */
export function drift(system: System): Change[] | string {
  try {
    return changesFor(system, []);
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

/** Whoever insists was seen by the keeper; whether the gateway is there is looked at now. */
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

/** Three of them, and how many more there are. */
const few = (names: readonly string[]): string =>
  [...names.slice(0, 3), ...(names.length > 3 ? [`${names.length - 3} more`] : [])].join(', ');

const byName = (a: Status, b: Status): number => ((a.gateway ?? a.id) < (b.gateway ?? b.id) ? -1 : 1);
