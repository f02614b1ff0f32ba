import type { Facts } from './facts.js';
import { FALLBACK_PREFERENCE, FALLBACK_TABLE, MASK, NOWHERE, NOWHERE_PREFERENCE } from './numbers.js';
import { routeThing, ruleThing } from './routing.js';
import type { RoutingThing } from './things.js';
import { FAMILIES, type Family } from './family.js';
import { pathOf, type Group } from './wayout.js';

/**
 * Next hops that no host has: addresses for documentation and for discarding (RFC 5737, RFC 6666). A packet that still
 * has this next hop after marking was sent by a process outside all groups.
 */
export const UNUSED_NEXT_HOP: { readonly [F in Family]: string } = { 4: '192.0.2.1', 6: '100::1' };

/**
 * The families that need a fallback route, with the device of that route: a group has a path and main has no default
 * route. The first route look-up of a program happens before the packet is marked. Without the fallback it fails, and
 * connect() fails with it.
 */
export function fallbacks(groups: readonly Group[], facts: Facts): Map<Family, string> {
  return new Map(
    FAMILIES.filter((family) => facts.nowhere.has(family) && (family === 4 || facts.v6)).flatMap((family) => {
      const device = deviceFor(family, groups, facts);
      return device === undefined ? [] : [[family, device] as const];
    }),
  );
}

/**
 * The fallback's route and rules. They apply only to packets that this machine sends (`iif lo`, ip-rule(8)), and packets
 * from outside all groups end in an `unreachable` rule.
 */
export function fallbackRouting(groups: readonly Group[], facts: Facts): RoutingThing[] {
  return [...fallbacks(groups, facts)].flatMap(([family, device]) => [
    routeThing(family, {
      reachable: true,
      destination: 'default',
      nextHop: UNUSED_NEXT_HOP[family],
      device,
      metric: family === 6 ? 1024 : undefined,
      table: FALLBACK_TABLE,
    }),
    ruleThing(family, { preference: FALLBACK_PREFERENCE, from: 'lo', table: FALLBACK_TABLE }),
    ruleThing(family, { preference: NOWHERE_PREFERENCE, from: 'lo', mark: NOWHERE, mask: MASK, table: undefined }),
  ]);
}

/**
 * The fallback's device, from which the source address follows. A device with neighbour discovery is preferred: a packet
 * to the unused next hop can never leave by it. On other devices only the rules can stop such a packet, and those of
 * iptables cannot.
 */
function deviceFor(family: Family, groups: readonly Group[], { resolving, lans }: Facts): string | undefined {
  const own = [...groups].sort((a, b) => a.slot - b.slot).flatMap(({ wayOut }) => pathOf(wayOut, family)?.device ?? []);
  if (own.length === 0) return undefined;
  const connected = lans.filter((lan) => lan.family === family).map(({ device }) => device);
  const stopped = groups.every(({ firewall }) => firewall === 'nft');
  return [...own, ...connected].find((device) => resolving.has(device)) ?? (stopped ? own[0] : undefined);
}
