import { MAIN, isOurs, tableOfLine, THROW, UNICAST, type RouteLine, type Routing } from '../kernel/routing.js';
import type { Facts, Lan } from '../plan/facts.js';
import { containing } from '../plan/networks.js';
import { FAMILIES, type Family } from '../plan/family.js';
import type { Path } from '../plan/wayout.js';
import { isSafeDeviceName } from './text.js';

type BothFamilies = { readonly [F in Family]: Routing };

/** The route protocols of connected networks: kernel, router advertisement, DHCP (rtnetlink(7)). */
export const CONNECTED = ['2', '9', '16'];

/**
 * The connected networks of the main table. Only those of broadcast devices count, and none with a prefix shorter than
 * 2, so that an LTE modem's `default dev wwan0` and OpenVPN's two /1 routes are not taken for a LAN.
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
    // The kernel lists the routes of one network in the order in which it uses them.
    const order = (devices.get(route.dst) ?? 0) + 1;
    devices.set(route.dst, order);
    return [{ family, network: route.dst, device: link.ifname, order }];
  });
}

/**
 * The devices on which an address is on-link; only `device` is looked at if it is given. An address is on-link by the
 * longest connected prefix, or because a route has it as its next hop (`onlink`, as many hosting providers set it up).
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

/** The default routes of the main table, one for each next hop. `first` is set on those with the lowest metric. */
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
 * The families without a default route in the main table. Two /1 routes, as VPN tools add them, count as a default
 * route. A `throw` route does not count.
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

/** The connected network that contains a path's next hop; undefined where there is none. */
export function networkOf({ device, nextHop }: Path, family: Family, routing: BothFamilies): string | undefined {
  const [network] = connectedNetworks(family, routing)
    .filter((lan) => lan.device === device && nextHop !== undefined && containing(lan.network, nextHop, family))
    .sort((a, b) => lengthOf(b.network) - lengthOf(a.network));
  return network?.network;
}

const lengthOf = (network: string): number => Number(network.split('/')[1] ?? 128);

/** The link-layer addresses of neighbours, by `<address>%<device>`. */
export function neighbourAddresses(routing: BothFamilies): Map<string, string> {
  const lines = FAMILIES.flatMap((family) => routing[family].neighbours);
  return new Map(
    lines.flatMap(({ dst, dev, lladdr }) => (lladdr === undefined ? [] : [[`${dst}%${dev}`, lladdr] as const])),
  );
}

/** A route's next hops and devices; a multipath route has several. */
export function hopsOf({ gateway, dev, nexthops = [] }: RouteLine): { device: string; nextHop?: string }[] {
  const hops = nexthops.length > 0 ? nexthops : [{ gateway, dev }];
  return hops.flatMap((hop) => {
    if (hop.dev === undefined) return [];
    return [hop.gateway === undefined ? { device: hop.dev } : { device: hop.dev, nextHop: hop.gateway }];
  });
}

const hasNextHop = ({ gateway, via, nexthops }: RouteLine): boolean =>
  gateway !== undefined || via !== undefined || nexthops !== undefined;

/** True for a unicast route (rtnetlink(7)); ip(8) leaves this type out. */
export const isUnicast = ({ type }: RouteLine): boolean => type === undefined || type === UNICAST;

/** The routes that do not have our protocol number. */
export const foreign = (routes: readonly RouteLine[]): RouteLine[] => routes.filter((route) => !isOurs(route));

/** A route's prefix length. */
export function prefixOf({ dst }: RouteLine, family: Family): number {
  if (dst === 'default') return 0;
  const [, length] = dst.split('/');
  return length === undefined ? (family === 4 ? 32 : 128) : Number(length);
}
