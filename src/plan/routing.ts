import type { Facts } from './facts.js';
import { hex, markOf, MASK, preferenceOf, PROTOCOL, STEPS, tableOf } from './numbers.js';
import type { RoutingThing } from './things.js';
import { FAMILIES, type Family } from './family.js';
import { pathName, wayOf, type Group } from './wayout.js';

/**
 * A policy rule: packets with this mark, or all packets, are looked up in a table. `from lo` limits it to packets that
 * this machine sends. Received packets can have our mark too, and must reach the local table, which a VRF's set-up
 * moves behind our rules.
 */
export interface PolicyRule {
  readonly preference: number;
  /** The input device; `lo` means packets that this machine sends (ip-rule(8)). */
  readonly from?: string | undefined;
  readonly mark?: number | undefined;
  readonly mask?: number | undefined;
  /** The table to look up; undefined for a rule of type `unreachable`. */
  readonly table: number | undefined;
}

/** A route; `reachable` is false for one of type `unreachable`. */
export interface Route {
  readonly reachable: boolean;
  readonly destination: string;
  readonly nextHop?: string | undefined;
  readonly device?: string | undefined;
  readonly metric?: number | undefined;
  readonly table: number;
}

/** The routes and rules these groups need, in both families. */
export function wantedRouting(groups: readonly Group[], facts: Facts): RoutingThing[] {
  return FAMILIES.filter((family) => family === 4 || facts.v6).flatMap((family) => {
    const marked = groups.filter(({ wayOut }) => wayOf(wayOut, family) !== 'allow');
    return marked.flatMap((group) => ofFamily(group, family, facts));
  });
}

/**
 * A preference ahead of the lowest rule of another tool that can match our packets. If there is no room, the rule stays
 * at its usual preference; the guard then stops the packets that the other rule diverts.
 */
function preferenceFor(slot: number, lowest = Infinity): number {
  const usual = preferenceOf(slot);
  return usual < lowest ? usual : (STEPS.find((step) => step < lowest) ?? usual);
}

/** The highest metric. A route with it is the last of its table and ends the look-up before the main table. */
const LAST = 4294967295;

function ofFamily(group: Group, family: Family, facts: Facts): RoutingThing[] {
  const { slot, wayOut } = group;
  const table = tableOf(slot);
  const way = wayOf(wayOut, family);
  const preference = preferenceFor(slot, facts.ahead?.[family]);
  const rule = ruleThing(family, { preference, from: 'lo', mark: markOf(slot), mask: MASK, table });
  const end = routeThing(family, { reachable: false, destination: 'default', metric: LAST, table });
  const lans = wayOut.lan ? facts.lans.filter((lan) => lan.family === family) : [];
  const direct = lans.map(({ network, device, order }) =>
    routeThing(family, {
      reachable: true,
      destination: network,
      device,
      // The same network on two devices needs two metrics.
      metric: family === 6 ? 255 + order : order,
      table,
    }),
  );
  if (typeof way === 'string' || !facts.devices.has(way.device) || facts.broken?.has(pathName(family, group)) === true)
    return [...direct, end, rule];
  const metric = family === 6 ? 1024 : undefined;
  return [...direct, routeThing(family, { reachable: true, destination: 'default', metric, table, ...way }), end, rule];
}

/** A policy rule as a thing. */
export function ruleThing(family: Family, { preference, mark, mask = MASK, from, table }: PolicyRule): RoutingThing {
  const words = [
    `pref ${preference}`,
    ...(from === undefined ? [] : [`iif ${from}`]),
    ...(mark === undefined ? [] : [`fwmark ${hex(mark)}/${hex(mask)}`]),
    table === undefined ? 'unreachable' : `lookup ${table}`,
    `protocol ${PROTOCOL}`,
  ].join(' ');
  return { kind: 'rule', id: `rule ${family} ${words}`, scope: 'group', state: '', family, words };
}

/** A route as a thing; `onlink`, since the next hop may be known to another table only (ip-route(8)). */
export function routeThing(family: Family, route: Route): RoutingThing {
  const { reachable, destination, nextHop, device, metric, table } = route;
  const words = [
    ...(reachable ? [destination] : ['unreachable', destination]),
    ...(nextHop === undefined ? [] : ['via', nextHop]),
    ...(reachable && device !== undefined ? ['dev', device] : []),
    ...(nextHop === undefined ? [] : ['onlink']),
    ...(metric === undefined || metric === 0 ? [] : ['metric', metric]),
    `table ${table} proto ${PROTOCOL}`,
  ].join(' ');
  return { kind: 'route', id: `route ${family} ${words}`, scope: 'group', state: '', family, words };
}
