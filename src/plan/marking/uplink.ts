import type { Facts } from '../facts.js';
import { containing } from '../networks.js';
import { pathOf, type Family, type WayOut } from '../wayout.js';
import type { Rule } from './rules.js';

/**
 * Where the device takes less at once than another, which the program's own routes may name: the largest segment that
 * a peer may send by it (RFC 6691).
 */
export function segmentOf(
  wayOut: WayOut,
  family: Family,
  { mtus }: Facts,
): { readonly device: string; readonly size: number } | undefined {
  const device = pathOf(wayOut, family)?.device;
  const mtu = mtus.get(device ?? '') ?? Infinity;
  if (device === undefined || ![...mtus.values()].some((other) => other > mtu)) return undefined;
  return { device, size: mtu - (family === 4 ? 40 : 60) };
}

/**
 * By the source, and by no route, the kernel picks the device of what is for many (net/ipv4/route.c,
 * ip_route_output_key_hash_rcu): main has given it another device's. Before conntrack, which then knows it by this one.
 */
export function toMany(wayOut: WayOut, facts: Facts): Rule[] {
  const device = pathOf(wayOut, 4)?.device;
  const source = ownSource(wayOut, facts);
  if (device === undefined || source === undefined) return [];
  const many = 'ip daddr { 224.0.0.0/4, 255.255.255.255 }';
  return [{ text: `oifname != "${device}" ${many} ip saddr set ${source}`, note: source }];
}

/**
 * The way out's IPv4 address: of the network that its next hop is in, where the device has several. Undefined where the
 * device has none.
 */
function ownSource(wayOut: WayOut, { addresses, lans }: Facts): string | undefined {
  const path = pathOf(wayOut, 4);
  if (path === undefined) return undefined;
  const own = addresses?.get(path.device) ?? [];
  const near = lans.filter(
    ({ family, device, network }) =>
      family === 4 && device === path.device && path.nextHop !== undefined && containing(network, path.nextHop, 4),
  );
  return own.find((address) => near.some(({ network }) => containing(network, address, 4))) ?? own[0];
}

/**
 * The source addresses that main gives a program where the router is of another network on main's device: addresses of
 * the device, and yet of no use behind this router. Any other address of the device is one that the program chose. IPv4
 * only: where IPv6 has two routers on a link, nothing tells whose prefix is whose.
 */
export function mainSources(wayOut: WayOut, { lans, defaults }: Facts): string[] {
  const path = pathOf(wayOut, 4);
  const nextHop = path?.nextHop;
  if (nextHop === undefined) return [];
  const isOwn = (network: string): boolean => containing(network, nextHop, 4);
  const mains = defaults
    .filter(({ family, device, source = nextHop }) => family === 4 && device === path?.device && !isOwn(source))
    .flatMap(({ source }) => source ?? []);
  const hasOwn = lans.some(({ family, device, network }) => family === 4 && device === path?.device && isOwn(network));
  return hasOwn ? [...new Set(mains)].sort() : [];
}
