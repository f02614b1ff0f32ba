import { lostBecause, unanswered } from '../gateway/health.js';
import { firewallEvents, hopsOf, networkEvents, type Filter } from '../plan/events.js';
import { nameOf } from '../plan/marking/arrivals.js';
import { byOtherVersion } from '../plan/marking/rules.js';
import { ownedGuard } from '../plan/marking/nftables/owned.js';
import { plan } from '../plan/plan.js';
import { tableOf } from '../plan/numbers.js';
import { ration, wantsOf } from '../plan/ration.js';
import type { Change, Thing } from '../plan/things.js';
import { keepRepairs, readRepairs } from '../state/repairs.js';
import { FAMILIES } from '../plan/family.js';
import { pathOf, type Group } from '../plan/wayout.js';
import { parseAsked } from '../state/asked.js';
import type { System } from './look.js';
import { tellOwner } from '../state/news.js';
import { wantedFor } from './changes.js';
import type { Transaction } from './transaction.js';
import { keepState, wasLost, WELL, type State } from '../state/state.js';

/** The result of a repair, for the keeper. */
export interface Healed {
  /** Something had to be made again. */
  readonly mended: boolean;
  /** The seconds after which the keeper must look again. */
  readonly again?: number;
  /** A short text that differs if other things are wanted. */
  readonly wants: string;
  /** Lines for the log. */
  readonly log: readonly string[];
  readonly network: Filter;
  readonly firewall: Filter;
  readonly guard: string;
  /** Routers that do not answer, `10.0.2.1 dev c2`. No packet is sent to them, so the keeper makes the kernel ask. */
  readonly silent: readonly string[];
}

/**
 * Under the lock: makes wanted and seen equal for the alive groups, unless another tool removes the same thing again and
 * again. Keeps the state of each group's gateway, and gives what the keeper must listen to. `who` made the last change,
 * as far as known. `before` is the `wants` of the last repair. A keeper of another version of via (`isOther`) is replaced.
 * Throws if a change fails.
 */
export function heal(change: Transaction, who: string, before: string, isOther: boolean): Healed {
  const { system } = change;
  const now = Date.now() / 1000;
  const { namespace } = system.facts;
  const things = wantedFor(system, []);
  const wants = wantsOf(things);
  const others = byOtherVersion(system.firewall.things);
  const wished = plan(things, withKeeper(system.things, isOther));
  const { changes, left, mends, until } = ration(wished, readRepairs(namespace), now, {
    anew: wants !== before,
    others,
  });
  // Rules of another version work: the group is not closed.
  const lacking = left.filter((thing) => thing.kind !== 'firewall' || !others.has(thing.by));
  // If some changes are left out, nothing is tried again: a second look would make those too.
  if (left.length > 0) change.apply(changes);
  else change.make(() => ({ things, changes }));
  keepRepairs(namespace, mends);
  const made = changes.filter(({ do: what, thing }) => what !== 'remove' && thing.kind !== 'record');
  return {
    mended: made.length > 0,
    ...(until === undefined ? {} : { again: Math.max(1, Math.ceil(until - now)) }),
    wants,
    log: [...mending(made), ...system.groups.flatMap((group) => tell(group, system, lacking, who))],
    ...listening(system),
  };
}

/** The keeper that called this knows its own version; beside rules of another one, `look` can only guess. */
const withKeeper = (things: readonly Thing[], isOther: boolean): Thing[] =>
  things.map((thing) =>
    thing.kind === 'keeper' && thing.state !== 'dead' ? { ...thing, state: isOther ? 'other' : 'alive' } : thing,
  );

/** The events that wake the keeper next, and the guard that it holds. */
function listening({ groups, routing, facts }: System): Pick<Healed, 'network' | 'firewall' | 'guard' | 'silent'> {
  const known = { routing, v6: facts.v6 };
  const failed = groups.flatMap(({ uuid, wayOut }) =>
    FAMILIES.flatMap((family) => {
      const path = pathOf(wayOut, family);
      const isSilent = path !== undefined && unanswered(path, family, known, () => wasLost(uuid, family)) !== undefined;
      return isSilent ? [nameOf(path)] : [];
    }),
  );
  const links = new Map(
    routing[4].links
      .filter(({ ifname }) => facts.devices.has(ifname))
      .map(({ ifname, flags, mtu }) => [ifname, `<${flags.join(',')}> mtu ${mtu}`]),
  );
  const indexes = new Map(routing[4].links.map(({ ifname, ifindex }) => [ifname, ifindex]));
  const seen = { neighbours: facts.neighbours, links, indexes, failed: new Set(failed) };
  return {
    network: networkEvents(groups, seen),
    firewall: firewallEvents([...new Set(groups.map(({ firewall }) => firewall))]),
    guard: groups.length === 0 ? '' : ownedGuard(groups, facts),
    silent: hopsOf(groups).flatMap(({ nextHop, device }) =>
      seen.failed.has(`${nextHop}%${device}`) ? [`${nextHop} dev ${device}`] : [],
    ),
  };
}

/** Keeps the state of a group's gateway. Gives a line for the log if it has changed. */
function tell(group: Group, system: System, left: readonly Thing[], who: string): string[] {
  const { uuid, wayOut, owner } = group;
  const known = { routing: system.routing, v6: system.facts.v6 };
  const state = stateNow(
    group,
    lostBecause(wayOut, known, (family) => wasLost(uuid, family)),
    left,
    who,
  );
  const gateway = parseAsked(system.records.groups.get(uuid)?.record.asked)?.gateway ?? `slot ${group.slot}`;
  if (!keepState(uuid, state)) return [];
  if (owner !== undefined) tellOwner(uuid, state);
  return [`gateway ${gateway}: ${state.is === 'well' ? 'back' : `${state.is}: ${state.why}`}`];
}

function stateNow(group: Group, lost: string | undefined, left: readonly Thing[], who: string): State {
  const own = left.find((thing) => isOf(thing, group));
  if (own !== undefined)
    return { is: 'closed', why: `${what(own)} again and again taken away${who === '' ? '' : ` by ${who}`}` };
  return lost === undefined ? WELL : { is: 'lost', why: lost };
}

const isOf = (thing: Thing, { slot, firewall }: Group): boolean =>
  thing.kind === 'firewall'
    ? thing.by === firewall
    : (thing.kind === 'rule' || thing.kind === 'route') &&
      new RegExp(` (lookup|table) ${tableOf(slot)} `).test(thing.words);

function what(thing: Thing): string {
  if (thing.kind === 'firewall') return `its rules of ${thing.by} are`;
  if (thing.kind === 'rule') return `its policy rule (${/^pref \d+/.exec(thing.words)?.[0]}) is`;
  return 'the end of its routing table is';
}

/** The number of things that were made again, by kind, for the log. */
function mending(made: readonly Change[]): string[] {
  const kinds = made.map(({ thing }) => (thing.kind === 'firewall' ? `piece of ${thing.by}` : thing.kind));
  const counts = [...new Set(kinds)].map((kind) => `${kinds.filter((one) => one === kind).length} ${kind}`);
  return counts.length === 0 ? [] : [`made again: ${counts.join(', ')}`];
}
