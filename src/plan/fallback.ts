import type { Facts } from './facts.js';
import { FALLBACK_PREFERENCE, FALLBACK_TABLE, MASK, NOWHERE, NOWHERE_PREFERENCE } from './numbers.js';
import { routeThing, ruleThing } from './routing.js';
import type { RoutingThing } from './things.js';
import { FAMILIES, pathOf, type Family, type Group } from './wayout.js';

/**
 * A next hop that nobody has: addresses for documentation and for what is to be discarded (RFC 5737, RFC 6666). What
 * still goes there after marking is no member's.
 */
export const NOBODY: { readonly [F in Family]: string } = { 4: '192.0.2.1', 6: '100::1' };

/**
 * The families in which main leads nowhere although a group has a way out there. A program's first look-up, before any
 * mark, would fail then and so would its connect(); so there is a way for it, looked at after main. With each the device
 * that it goes by.
 */
export function fallbacks(groups: readonly Group[], facts: Facts): Map<Family, string> {
  return new Map(
    FAMILIES.filter((family) => facts.nowhere.has(family) && (family === 4 || facts.v6)).flatMap((family) => {
      const device = deviceFor(family, groups, facts);
      return device === undefined ? [] : [[family, device] as const];
    }),
  );
}

/** Its route and rules: for what is sent from here only, and an end for what is no member's (ip-rule(8)). */
export function fallbackRouting(groups: readonly Group[], facts: Facts): RoutingThing[] {
  return [...fallbacks(groups, facts)].flatMap(([family, device]) => [
    routeThing(family, {
      reachable: true,
      destination: 'default',
      nextHop: NOBODY[family],
      device,
      metric: family === 6 ? 1024 : undefined,
      table: FALLBACK_TABLE,
    }),
    ruleThing(family, { preference: FALLBACK_PREFERENCE, from: 'lo', table: FALLBACK_TABLE }),
    ruleThing(family, { preference: NOWHERE_PREFERENCE, from: 'lo', mark: NOWHERE, mask: MASK, table: undefined }),
  ]);
}

/**
 * The device that the look-up gives, and so the source address: that of the first group, or another one that is connected,
 * where neighbours are looked for on it, so that nothing can be sent to a neighbour that is not there. On any other it is
 * for the rules alone to stop that, which those of iptables cannot.
 */
function deviceFor(family: Family, groups: readonly Group[], { resolving, lans }: Facts): string | undefined {
  const own = [...groups].sort((a, b) => a.slot - b.slot).flatMap(({ wayOut }) => pathOf(wayOut, family)?.device ?? []);
  if (own.length === 0) return undefined;
  const connected = lans.filter((lan) => lan.family === family).map(({ device }) => device);
  const stopped = groups.every(({ firewall }) => firewall === 'nft');
  return [...own, ...connected].find((device) => resolving.has(device)) ?? (stopped ? own[0] : undefined);
}
