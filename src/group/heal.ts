import { readFileSync, writeFileSync } from 'node:fs';
import { lostBecause, unanswered } from '../gateway/health.js';
import { ignoring } from '../kernel/cgroup.js';
import { removeFile } from '../kernel/place.js';
import { firewallEvents, hopsOf, networkEvents, type Filter } from '../plan/events.js';
import { nameOf } from '../plan/marking/arrivals.js';
import { ownedGuard } from '../plan/marking/owned.js';
import { plan } from '../plan/plan.js';
import { tableOf } from '../plan/numbers.js';
import { ration, wantsOf, type Mends } from '../plan/ration.js';
import type { Change, Thing } from '../plan/things.js';
import { mendsFile } from '../plan/wanted.js';
import { FAMILIES, pathOf, type Group } from '../plan/wayout.js';
import { parseWish } from './follow.js';
import type { Lock } from './lock.js';
import type { System } from './look.js';
import { tellOwner } from './news.js';
import { make, settle, wantedFor } from './settle.js';
import { keepState, wasLost, WELL, type State } from './state.js';

/** What a keeper has to know after things were put in order. */
export interface Healed {
  /** Whether anything had to be made again. */
  readonly mended: boolean;
  /** In so many seconds it is to be looked at again. */
  readonly again?: number;
  /** What was wanted, as one short text. */
  readonly wants: string;
  /** What is worth a line in the log. */
  readonly log: readonly string[];
  readonly network: Filter;
  readonly firewall: Filter;
  readonly guard: string;
  /** Routers that the kernel has asked for in vain, `10.0.2.1 dev c2`: nothing is sent that makes it ask again. */
  readonly silent: readonly string[];
}

/**
 * Under the lock: makes wanted and seen equal for the groups that are alive, unless somebody insists; keeps what became of
 * each group's way out; and gives what the keeper is to listen to until the next time. `who` has changed something last,
 * as far as is known; `before` is what was wanted the last time, if anything was. Throws where a change fails.
 */
export function heal(system: System, lock: Lock, who: string, before: string): Healed {
  const now = Date.now() / 1000;
  const file = mendsFile(system.facts.namespace);
  const things = wantedFor(system, []);
  const wants = wantsOf(things);
  const { changes, left, mends, until } = ration(plan(things, system.things), readMends(file), now, wants !== before);
  if (left.length === 0) settle(system, [], lock, () => {});
  else make(changes, lock, () => {});
  keepMends(file, mends);
  const made = changes.filter(({ do: what, thing }) => what !== 'remove' && thing.kind !== 'record');
  return {
    mended: made.length > 0,
    ...(until === undefined ? {} : { again: Math.max(1, Math.ceil(until - now)) }),
    wants,
    log: [...mending(made), ...system.groups.flatMap((group) => tell(group, system, left, who))],
    ...listening(system),
  };
}

/** What wakes the keeper next, and the guard that it holds. */
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

/** Keeps what became of a group's way out; gives a line where that has changed. */
function tell(group: Group, system: System, left: readonly Thing[], who: string): string[] {
  const { uuid, wayOut, owner } = group;
  const known = { routing: system.routing, v6: system.facts.v6 };
  const state = stateNow(
    group,
    lostBecause(wayOut, known, (family) => wasLost(uuid, family)),
    left,
    who,
  );
  const gateway = parseWish(system.records.groups.get(uuid)?.record.asked)?.gateway ?? `slot ${group.slot}`;
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

/** How many of what was made again, for the log. */
function mending(made: readonly Change[]): string[] {
  const kinds = made.map(({ thing }) => (thing.kind === 'firewall' ? `piece of ${thing.by}` : thing.kind));
  const counts = [...new Set(kinds)].map((kind) => `${kinds.filter((one) => one === kind).length} ${kind}`);
  return counts.length === 0 ? [] : [`made again: ${counts.join(', ')}`];
}

function readMends(file: string): Mends {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    const lists = Object.entries((value ?? {}) as object).filter(([, times]) => Array.isArray(times));
    return Object.fromEntries(lists.map(([name, times]) => [name, (times as unknown[]).map(Number)]));
  } catch {
    // Not there, or cut off: nobody insists yet.
    return {};
  }
}

function keepMends(file: string, mends: Mends): void {
  ignoring(['ENOENT', 'EISDIR', 'ENOSPC', 'EFBIG', 'EDQUOT', 'EROFS'], () => {
    removeFile(file);
    if (Object.keys(mends).length > 0) writeFileSync(file, JSON.stringify(mends), { mode: 0o600 });
  });
}
