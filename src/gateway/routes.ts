import { MAIN, isOurs, tableOfLine, THROW, UNICAST, type RouteLine, type Routing } from '../kernel/routing.js';
import type { Facts, Lan } from '../plan/facts.js';
import { containing } from '../plan/networks.js';
import { FAMILIES, type Family, type Path } from '../plan/wayout.js';
import { isSafeDeviceName } from './text.js';

type BothFamilies = { readonly [F in Family]: Routing };

/** Protocols by which the kernel, router advertisements and DHCP clients add a connected network (rtnetlink(7)). */
export const CONNECTED = ['2', '9', '16'];

/**
 * The networks that main reaches without a gateway: of broadcast devices only, never all or half of the Internet, so
 * that an LTE modem's `default dev wwan0` or OpenVPN's halves do not pass for a LAN.
 */
export function connectedNetworks(family: Family, routing: BothFamilies): Lan[] {
  const links = new Map(routing[4].links.map((link) => [link.ifname, link]));
  const devices = new Map<string, number>();
  return routing[family].routes.flatMap((route) => {
    const link = links.get(route.dev ?? '');
    if (link === undefined || !link.flags.includes('BROADCAST') || !isSafeDeviceName(link.ifname)) return [];
    if (!isUnicast(route) || hasNextHop(route)) return [];
    if (tableOfLine(route) !== MAIN || !CONNECTED.includes(route.protocol ?? '') || prefixOf(route, family) < 2)
      return [];
    // Listed as main looks at them.
    const order = (devices.get(route.dst) ?? 0) + 1;
    devices.set(route.dst, order);
    return [{ family, network: route.dst, device: link.ifname, order }];
  });
}

/**
 * The devices, or the one device named, on whose link an address is: by the longest prefix without a next hop, or
 * because a route says so that has it as its next hop (`onlink`, as on rented machines).
 */
export function onLinkOn(address: string, family: Family, routes: readonly RouteLine[], device?: string): string[] {
  const meant = (name: string | undefined): boolean => device === undefined || name === device;
  const covering = routes.filter(
    (route) =>
      isUnicast(route) &&
      !hasNextHop(route) &&
      prefixOf(route, family) > 1 &&
      meant(route.dev) &&
      containing(route.dst, address, family),
  );
  const longest = Math.max(...covering.map((route) => prefixOf(route, family)));
  const direct = covering.filter((route) => prefixOf(route, family) === longest).flatMap(({ dev }) => dev ?? []);
  const hops = routes.flatMap((route) => hopsOf(route)).filter((hop) => hop.nextHop === address && meant(hop.device));
  return [...new Set(direct.length > 0 ? direct : hops.map((hop) => hop.device))];
}

/** Main's default routes, one for each next hop; it goes by those with the lowest metric. */
export function defaultRoutes(routing: BothFamilies): Facts['defaults'] {
  return FAMILIES.flatMap((family) => {
    const routes = routing[family].routes.filter(
      (route) => route.dst === 'default' && isUnicast(route) && tableOfLine(route) === MAIN,
    );
    const lowest = Math.min(...routes.map(({ metric = 0 }) => metric));
    return routes.flatMap((route) =>
      hopsOf(route).map((hop) => {
        const source = route.prefsrc ?? networkOf(hop, family, routing);
        const first = (route.metric ?? 0) === lowest ? ({ first: true } as const) : {};
        return { family, ...hop, ...first, ...(source === undefined ? {} : { source }) };
      }),
    );
  });
}

/**
 * The families in which main leads nowhere by default: nor by both halves of the address space, as VPNs have them. What
 * only says to look into the next table (`throw`) leads nowhere.
 */
export function nowhere(routing: BothFamilies): Set<Family> {
  return new Set(
    FAMILIES.filter((family) => {
      const wide = routing[family].routes.filter(
        (route) => tableOfLine(route) === MAIN && prefixOf(route, family) < 2 && route.type !== THROW,
      );
      return !wide.some(({ dst }) => dst === 'default') && new Set(wide.map(({ dst }) => dst)).size < 2;
    }),
  );
}

/** The connected network that a path's next hop is in. */
export function networkOf({ device, nextHop }: Path, family: Family, routing: BothFamilies): string | undefined {
  const [network] = connectedNetworks(family, routing)
    .filter((lan) => lan.device === device && nextHop !== undefined && containing(lan.network, nextHop, family))
    .sort((a, b) => lengthOf(b.network) - lengthOf(a.network));
  return network?.network;
}

const lengthOf = (network: string): number => Number(network.split('/')[1] ?? 128);

/** `<next hop>%<device>` -> link-layer address. */
export function neighbourAddresses(routing: BothFamilies): Map<string, string> {
  const lines = FAMILIES.flatMap((family) => routing[family].neighbours);
  return new Map(
    lines.flatMap(({ dst, dev, lladdr }) => (lladdr === undefined ? [] : [[`${dst}%${dev}`, lladdr] as const])),
  );
}

/** A route's next hops and devices; several where it is multipath. */
export function hopsOf({ gateway, dev, nexthops = [] }: RouteLine): { device: string; nextHop?: string }[] {
  const hops = nexthops.length > 0 ? nexthops : [{ gateway, dev }];
  return hops.flatMap((hop) => {
    if (hop.dev === undefined) return [];
    return [hop.gateway === undefined ? { device: hop.dev } : { device: hop.dev, nextHop: hop.gateway }];
  });
}

const hasNextHop = ({ gateway, via, nexthops }: RouteLine): boolean =>
  gateway !== undefined || via !== undefined || nexthops !== undefined;

export const isUnicast = ({ type }: RouteLine): boolean => type === undefined || type === UNICAST;

/** Routes of everybody but us. */
export const foreign = (routes: readonly RouteLine[]): RouteLine[] => routes.filter((route) => !isOurs(route));

/** A route's prefix length. */
export function prefixOf({ dst }: RouteLine, family: Family): number {
  if (dst === 'default') return 0;
  const [, length] = dst.split('/');
  return length === undefined ? (family === 4 ? 32 : 128) : Number(length);
}
