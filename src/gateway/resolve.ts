import { ViaError } from '../failure.js';
import { MAIN, tableOfLine, type AddressLine, type LinkLine, type RouteLine, type Routing } from '../kernel/routing.js';
import type { LaunchOptions } from '../request.js';
import { FAMILIES, type Family, type Path, type WayOut } from '../plan/wayout.js';
import { sameAddress } from '../plan/networks.js';
import { offLink } from './off-link.js';
import { foreign, hopsOf, isUnicast, onLinkOn } from './routes.js';
import { formatGateway, isSafeDeviceName, type AddressText, type GatewayText } from './text.js';

/** What a gateway is looked up in: the kernel's routes of both families, the devices, and whether IPv6 exists. */
export interface Known {
  readonly routing: { readonly [F in Family]: Routing };
  readonly v6: boolean;
  /** Reads the addresses of all devices, for an error only: of a device that is down there are no routes. */
  readonly addresses?: () => readonly AddressLine[];
}

/**
 * Looks a gateway up in the kernel's routes, in any table but ours. Throws ViaError where a device does not exist or is
 * down, and where an address is not on-link, is one of ours, or is on-link on several devices.
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

/** A point-to-point device has one far end, whatever name it is given: there the next hop makes no difference. */
const pathBy = ({ ifname, flags }: LinkLine, nextHop: string | undefined): Path =>
  nextHop === undefined || flags.includes('POINTOPOINT') ? { device: ifname } : { device: ifname, nextHop };

/** rtnetlink(7): route types. */
const LOCAL = '2';
const BROADCAST = '3';
const ANYCAST = '4';

/** A device that exists, is up, and whose name may go into rule texts. */
function usable(device: string, { routing }: Known): LinkLine {
  const link = routing[4].links.find(({ ifname }) => ifname === device);
  if (link === undefined || !isSafeDeviceName(device)) {
    const names = routing[4].links.filter(({ flags }) => !flags.includes('LOOPBACK')).map(({ ifname }) => ifname);
    const hint =
      names.length === 0 ? {} : { hint: `a gateway is an address or one of ${names.slice(0, 8).join(', ')}` };
    throw new ViaError('device', `"${device}"`, 'unknown', hint);
  }
  if (!link.flags.includes('UP')) throw new ViaError('device', device, 'down', { hint: `ip link set ${device} up` });
  if (!link.flags.includes('LOWER_UP'))
    throw new ViaError('device', device, 'no carrier', { hint: 'is the cable in?' });
  return link;
}

/**
 * The default route known on a device, in any table but ours; a point-to-point device needs none. On a device without
 * neighbours (netdevice(7), IFF_NOARP), as many modems are, it needs no next hop.
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

/** Main's before another table's, and the lowest metric first, as the kernel itself would take it. */
function defaultOn(device: string, routes: readonly RouteLine[], withoutHop: boolean): Path | undefined {
  const defaults = routes.filter((route) => route.dst === 'default' && isUnicast(route));
  const sorted = [...defaults].sort(
    (a, b) => Number(tableOfLine(b) === MAIN) - Number(tableOfLine(a) === MAIN) || (a.metric ?? 0) - (b.metric ?? 0),
  );
  const hops = sorted.flatMap((route) => hopsOf(route)).filter((hop) => hop.device === device);
  return hops.find(({ nextHop }) => nextHop !== undefined || withoutHop);
}

/** Whether the device has an address of this family that is good for more than its own link. */
const hasAddress = (device: string, routes: readonly RouteLine[]): boolean =>
  routes.some(({ type, dev, dst }) => type === LOCAL && dev === device && !/^fe[89ab]/.test(dst));

/** Next hops that routes and neighbours suggest, for a device without a default route. */
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
