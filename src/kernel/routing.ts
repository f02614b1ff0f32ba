import { FALLBACK_TABLE, NOWHERE, PROTOCOL, tableOf } from '../plan/numbers.js';
import { routeThing, ruleThing } from '../plan/routing.js';
import type { RoutingThing } from '../plan/things.js';
import type { Family } from '../plan/family.js';
import type { Job } from './tools.js';

/** A line of `ip -N -j rule show`. */
export interface RuleLine {
  readonly priority: number;
  readonly iif?: string;
  readonly fwmark?: string;
  readonly fwmask?: string;
  readonly table?: string;
  readonly protocol?: string;
  /** The rule is inverted; the rule does nothing. Each is null if it is present. */
  readonly not?: null;
  readonly nop?: null;
  /** Missing for a rule that looks up a table. */
  readonly action?: string;
}

/** A line of `ip -N -j route show table all`. Without a table it is main, without a protocol it is boot. */
export interface RouteLine {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  /** A next hop of the other family (RFC 5549). */
  readonly via?: { readonly family: string; readonly host: string };
  readonly dev?: string;
  readonly table?: string;
  readonly protocol?: string;
  readonly scope?: string;
  readonly prefsrc?: string;
  readonly metric?: number;
  readonly flags?: readonly string[];
  readonly nexthops?: readonly { readonly gateway?: string; readonly dev?: string }[];
}

/** A line of `ip -N -j link show`. */
export interface LinkLine {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
}

/** A line of `ip -N -j address show`: a device with its addresses. `address` is the peer's. */
export interface AddressLine {
  readonly ifname: string;
  readonly addr_info: readonly {
    readonly family: string;
    readonly local?: string;
    readonly address?: string;
    readonly prefixlen: number;
  }[];
}

/** A line of `ip -N -j neigh show`. */
export interface NeighbourLine {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
}

/** The policy rules, routes and neighbours of one family. Those of IPv4 also have the devices. */
export interface Routing {
  readonly rules: readonly RuleLine[];
  readonly routes: readonly RouteLine[];
  readonly neighbours: readonly NeighbourLine[];
  readonly links: readonly LinkLine[];
}

/** The empty state, for a family that the kernel does not have. */
export const NO_ROUTING: Routing = { rules: [], routes: [], neighbours: [], links: [] };

/** The one process that reads all of it. `-N` prints numbers, which do not depend on /etc/iproute2. */
export const readJob = (family: Family): Job => ({
  argv: ['ip', `-${family}`, '-N', '-j', '-batch', '-'],
  input: `rule show\nroute show table all\nneigh show\n${family === 4 ? 'link show' : ''}\n`,
});

/** Parses the four lists. ip(8) may print no line for an empty list, so each entry is recognised by its fields. */
export function parseRouting(json: string): Routing {
  const routing: { rules: RuleLine[]; routes: RouteLine[]; neighbours: NeighbourLine[]; links: LinkLine[] } = {
    rules: [],
    routes: [],
    neighbours: [],
    links: [],
  };
  for (const entry of parseLists<RuleLine & RouteLine & LinkLine & NeighbourLine>(json)) {
    if (entry.priority !== undefined) routing.rules.push(entry);
    else if (entry.ifindex !== undefined) routing.links.push(entry);
    else if (entry.state !== undefined) routing.neighbours.push(entry);
    else if (entry.dst !== undefined) routing.routes.push(entry);
  }
  return routing;
}

/**
 * The entries of all lists that `ip -j -batch` printed, one list a line. ip(8) prints control characters of a device's
 * name unescaped, which JSON does not allow, so they are escaped here.
 */
export function parseLists<Entry>(text: string): Entry[] {
  const escaped = text.replace(/[\u0000-\u0009\u000b-\u001f]/g, (c) => JSON.stringify(c).slice(1, -1));
  return escaped.split('\n').flatMap((line) => (!line.startsWith('[') ? [] : (JSON.parse(line) as Entry[])));
}

const OURS = String(PROTOCOL);

/** The number of a line's table; main if the line names none. */
export const tableOfLine = ({ table }: { readonly table?: string }): number => Number(table ?? MAIN);

/** rtnetlink(7): RT_TABLE_MAIN, RT_TABLE_LOCAL. */
export const MAIN = 254;
export const LOCAL_TABLE = 255;

/** True if a route or rule has our protocol number and one of our tables. Others may use the same protocol number. */
export const isOurs = (line: Tagged): boolean => {
  if (line.protocol !== OURS) return false;
  if (line.action !== undefined) return line.action === UNREACHABLE && Number(line.fwmark) === NOWHERE;
  return tableOfLine(line) >= tableOf(1) && tableOfLine(line) <= FALLBACK_TABLE;
};

type Tagged = Pick<RuleLine, 'protocol' | 'table' | 'action' | 'fwmark'>;

/** fib_rules.h, FR_ACT_UNREACHABLE. */
const UNREACHABLE = '7';

/** Our routes and rules that exist, as things. */
export function routingThings(family: Family, { rules, routes }: Routing): RoutingThing[] {
  return [
    ...rules.filter(isOurs).map((rule) =>
      ruleThing(family, {
        preference: rule.priority,
        from: rule.iif,
        mark: rule.fwmark === undefined ? undefined : Number(rule.fwmark),
        mask: Number(rule.fwmask ?? 0xffffffff),
        table: rule.action === undefined ? tableOfLine(rule) : undefined,
      }),
    ),
    ...routes.filter(isOurs).map((route) =>
      routeThing(family, {
        reachable: route.type === undefined || route.type === UNICAST,
        destination: route.dst,
        nextHop: route.gateway,
        device: route.dev,
        metric: route.metric,
        table: tableOfLine(route),
      }),
    ),
  ];
}

/** True for the route of one of this machine's own addresses (rtnetlink(7), RTN_LOCAL). */
export const isOwnAddress = ({ type }: RouteLine): boolean => type === '2';

/** rtnetlink(7): RTN_UNICAST, RTN_THROW. */
export const UNICAST = '1';
export const THROW = '9';
