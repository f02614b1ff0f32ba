import { ViaError } from '../failure.js';
import { MAIN, tableOfLine, type LinkLine, type RouteLine } from '../kernel/routing.js';
import type { LaunchOptions } from '../request.js';
import { FAMILIES, type Family } from '../plan/family.js';
import type { Path, WayOut } from '../plan/wayout.js';
import { sameAddress } from '../plan/networks.js';
import type { Known } from './known.js';
import { offLink } from './off-link.js';
import { foreign, hopsOf, isUnicast, onLinkOn } from './routes.js';
import { formatGateway, isSafeDeviceName, type AddressText, type GatewayText } from './text.js';

/**
 * Looks a gateway up in the kernel's routes, in all tables but ours. Throws ViaError if a device does not exist or is
 * down, or if an address is not on-link, is one of this machine's own, or is on-link on several devices.
 */
export function resolve(
  gateway: GatewayText,
  options: Pick<LaunchOptions, 'ipv4' | 'ipv6' | 'lan'>,
  known: Known,
): WayOut {
  const text = formatGateway(gateway).replace(/^%/, '');
  const paths =
    gateway.kind === 'device' ? byDevice(gateway.device, known) : byAddresses(gateway.v4, gateway.v6, known, text);
  return {
    v4: paths[4] ?? options.ipv4,
    v6: paths[6] ?? options.ipv6,
    lan: options.lan,
    followsDevice: gateway.kind === 'device',
  };
}

type Paths = { readonly [F in Family]?: Path | undefined };

function byAddresses(v4: AddressText | undefined, v6: AddressText | undefined, known: Known, text: string): Paths {
  if (v6 !== undefined && !known.v6) throw new ViaError('gateway', text, 'this kernel has no IPv6');
  return {
    4: v4 === undefined ? undefined : byAddress(v4, 4, known),
    6: v6 === undefined ? undefined : byAddress(v6, 6, known),
  };
}

function byAddress({ address, device }: AddressText, family: Family, known: Known): Path {
  if (device !== undefined) usable(device, known);
  const fail = (why: string, hint?: string): ViaError =>
    new ViaError('gateway', address, why, hint === undefined ? {} : { hint });
  const routes = foreign(known.routing[family].routes);
  for (const route of routes) {
    if (!sameAddress(route.dst, address) || (device !== undefined && route.dev !== device)) continue;
    if (route.type === LOCAL) throw fail("one of this machine's own addresses", 'name the router, not this machine');
    if (route.type === BROADCAST || route.type === ANYCAST) throw fail("a network's own address", 'name a router');
  }
  const devices = onLinkOn(address, family, routes, device);
  const [found, another] = devices;
  if (found === undefined) throw offLink({ address, ...(device === undefined ? {} : { device }) }, family, known);
  if (another !== undefined) {
    throw fail(`on-link on ${devices.join(' and ')}`, `say which: ${address}%${found} or ${address}%${another}`);
  }
  const link = usable(found, known);
  if (link.flags.includes('LOOPBACK')) throw fail("one of this machine's own addresses", 'name the router');
  return pathBy(link, address);
}

/** A point-to-point device has a single peer, so a next hop makes no difference there. */
const pathBy = ({ ifname, flags }: LinkLine, nextHop: string | undefined): Path =>
  nextHop === undefined || flags.includes('POINTOPOINT') ? { device: ifname } : { device: ifname, nextHop };

/** rtnetlink(7): route types. */
const LOCAL = '2';
const BROADCAST = '3';
const ANYCAST = '4';

/** The device's link. Throws unless it exists, is up, and has a name that is safe in rule texts. */
function usable(device: string, { routing }: Known): LinkLine {
  const link = routing[4].links.find(({ ifname }) => ifname === device);
  if (link === undefined || !isSafeDeviceName(device)) {
    const names = routing[4].links.filter(({ flags }) => !flags.includes('LOOPBACK')).map(({ ifname }) => ifname);
    const hint =
      names.length === 0 ? {} : { hint: `a gateway is an address or one of ${names.slice(0, 8).join(', ')}` };
    throw new ViaError('device', `"${device}"`, 'unknown', { ...hint, code: 'unknown-device' });
  }
  if (!link.flags.includes('UP')) throw new ViaError('device', device, 'down', { hint: `ip link set ${device} up` });
  if (!link.flags.includes('LOWER_UP'))
    throw new ViaError('device', device, 'no carrier', { hint: 'is the cable in?' });
  return link;
}

/**
 * The paths of a device's default routes, from all tables but ours. A point-to-point device needs no default route. On a
 * device without neighbour discovery (netdevice(7), IFF_NOARP), such as many modems, the route needs no next hop.
 */
function byDevice(device: string, known: Known): Paths {
  const link = usable(device, known);
  const { flags } = link;
  if (flags.includes('LOOPBACK')) throw new ViaError('device', device, 'leads nowhere', { hint: 'it is the loopback' });
  const pointToPoint = flags.includes('POINTOPOINT');
  const entries = FAMILIES.map((family) => {
    const routes = foreign(known.routing[family].routes);
    const path = defaultOn(device, routes, pointToPoint || flags.includes('NOARP'));
    if (path !== undefined) return [family, pathBy(link, path.nextHop)] as const;
    return [family, pointToPoint && hasAddress(device, routes) ? { device } : undefined] as const;
  });
  if (entries.every(([, path]) => path === undefined)) {
    const hint = hopsOn(device, known);
    const why = 'no default route is known on it';
    throw new ViaError('device', device, why, { hint: hint === '' ? `name the next hop: <address>%${device}` : hint });
  }
  return Object.fromEntries(entries);
}

/** The default route that counts: main's before those of other tables, then the lowest metric. */
function defaultOn(device: string, routes: readonly RouteLine[], withoutHop: boolean): Path | undefined {
  const defaults = routes.filter((route) => route.dst === 'default' && isUnicast(route));
  const sorted = [...defaults].sort(
    (a, b) => Number(tableOfLine(b) === MAIN) - Number(tableOfLine(a) === MAIN) || (a.metric ?? 0) - (b.metric ?? 0),
  );
  const hops = sorted.flatMap((route) => hopsOf(route)).filter((hop) => hop.device === device);
  return hops.find(({ nextHop }) => nextHop !== undefined || withoutHop);
}

/** True if the device has an address of this family with wider than link scope. */
const hasAddress = (device: string, routes: readonly RouteLine[]): boolean =>
  routes.some(({ type, dev, dst }) => type === LOCAL && dev === device && !/^fe[89ab]/.test(dst));

/** Next hops from routes and neighbour entries, as a hint for a device without a default route. */
function hopsOn(device: string, known: Known): string {
  const viaRoutes = FAMILIES.flatMap((family) =>
    foreign(known.routing[family].routes).flatMap((route) => hopsOf(route)),
  ).flatMap((hop) => (hop.device === device && hop.nextHop !== undefined ? [hop.nextHop] : []));
  const neighbours = FAMILIES.flatMap((family) => known.routing[family].neighbours)
    .filter(({ dev, lladdr }) => dev === device && lladdr !== undefined)
    .map(({ dst }) => dst);
  const found = [...new Set([...viaRoutes, ...neighbours])].slice(0, 4);
  return found.length === 0 ? '' : `perhaps ${found.map((hop) => `${hop}%${device}`).join(', ')}`;
}
