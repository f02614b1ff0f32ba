import type { Facts } from '../facts.js';
import { containing } from '../networks.js';
import type { Family } from '../family.js';
import { pathOf, type WayOut } from '../wayout.js';
import type { Rule } from './rules.js';

/**
 * The largest segment that a peer may send by the way out's device (RFC 6691), if the device has a smaller MTU than another
 * one, which a program's own route may use.
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
 * The rule for packets to many. The kernel chooses their device by the source address and by no route (net/ipv4/route.c,
 * ip_route_output_key_hash_rcu), and main has given them another device's address. It comes before conntrack, which then
 * knows them by the new source.
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
 * The source addresses of main's default routes, if the way out's router is in another network on the same device. They do
 * not work behind this router. Any other address of the device was chosen by the program. IPv4 only: with two IPv6 routers
 * on a link nothing shows which prefix belongs to which.
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
