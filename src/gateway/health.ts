import { isOwnAddress, type LinkLine, type RouteLine } from '../kernel/routing.js';
import { FAMILIES, type Family } from '../plan/family.js';
import { pathOf, type Path, type WayOut } from '../plan/wayout.js';
import type { Known } from './known.js';
import { CONNECTED, foreign, hopsOf, isUnicast, onLinkOn, prefixOf } from './routes.js';

/**
 * Gives the reason, in a few words, why a way out cannot be used now; undefined where all its paths can. If only one
 * family of two is lost, the text begins with `IPv4: ` or `IPv6: `. A router counts as lost when the kernel's neighbour
 * entry has failed (RFC 4861, 7.3.3; arp(7)). The kernel only asks for a neighbour when a packet is sent to it.
 * `wasLost` gives the last known state of a family.
 */
export function lostBecause(wayOut: WayOut, known: Known, wasLost: (family: Family) => boolean): string | undefined {
  const families = FAMILIES.filter((family) => pathOf(wayOut, family) !== undefined && (family === 4 || known.v6));
  const lost = families.flatMap((family) => {
    const path = pathOf(wayOut, family)!;
    const why = brokenBecause(path, family, known, wayOut) ?? unanswered(path, family, known, () => wasLost(family));
    return why === undefined ? [] : [{ family, why }];
  });
  const [first] = lost;
  return first === undefined || lost.length === families.length ? first?.why : `IPv${first.family}: ${first.why}`;
}

/**
 * Gives the reason why a path cannot be used now; undefined where it can. The router's own state is not looked at. The
 * next hop must be on-link, and the next hop of a way out that follows a device must be in that device's default route.
 * The device must have an address, or packets would get the source address of another device. This includes an IPv6
 * device whose address is still tentative (RFC 4862): the connected route exists then, but the address cannot be used.
 */
export function brokenBecause(
  { device, nextHop }: Path,
  family: Family,
  { routing }: Known,
  { followsDevice }: Pick<WayOut, 'followsDevice'>,
): string | undefined {
  const link = routing[4].links.find(({ ifname }) => ifname === device);
  const broken = ofLink(device, link);
  if (broken !== undefined || nextHop === undefined) return broken;
  const routes = foreign(routing[family].routes);
  const isDefault = (route: RouteLine): boolean =>
    route.dst === 'default' && hopsOf(route).some((hop) => hop.nextHop === nextHop && hop.device === device);
  if (followsDevice && !routes.some(isDefault)) return `no default route is known on ${device}`;
  if (onLinkOn(nextHop, family, routes, device).length === 0) return `${nextHop} is not on-link on ${device}`;
  if (family === 4) return undefined;
  const onDevice = routes.filter((route) => route.dev === device && !isOfLink(route));
  // Only routes that come with an address count. A route typed by hand does not mean that the device has an address.
  const isNumbered = onDevice.some(
    (route) =>
      isUnicast(route) &&
      prefixOf(route, 6) > 1 &&
      route.gateway === undefined &&
      CONNECTED.includes(route.protocol ?? ''),
  );
  return isNumbered && !onDevice.some(isOwnAddress) ? `${device} has no IPv6 address yet` : undefined;
}

/**
 * Gives the reason why the router of a usable path cannot be reached; undefined where it can. While the kernel asks for
 * the router again, the router keeps its last state (`wasLost`).
 */
export function unanswered(
  { device, nextHop }: Path,
  family: Family,
  { routing }: Known,
  wasLost: () => boolean,
): string | undefined {
  const state = routing[family].neighbours.find(({ dst, dev }) => dst === nextHop && dev === device)?.state ?? [];
  const isSilent = state.includes('FAILED') || (state.includes('INCOMPLETE') && wasLost());
  return isSilent ? `${nextHop} does not answer on ${device}` : undefined;
}

/** The devices that have an address of wider than link scope, with the family: `4 c2`. */
export const numberedDevices = (routing: Known['routing']): Set<string> =>
  new Set(
    FAMILIES.flatMap((family) =>
      routing[family].routes
        .filter((route) => isOwnAddress(route) && !isOfLink(route))
        .map(({ dev }) => `${family} ${dev}`),
    ),
  );

/** The IPv4 addresses of each device, as the kernel's local table lists them. */
export function ownAddresses(routing: Known['routing']): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const route of routing[4].routes) {
    const { dst, dev = '' } = route;
    if (isOwnAddress(route) && /^[\d.]+$/.test(dst)) found.set(dev, [...(found.get(dev) ?? []), dst]);
  }
  return found;
}

/** Link-local or multicast (RFC 4291). */
const isOfLink = ({ dst }: RouteLine): boolean => /^(fe[89ab]|ff)/.test(dst);

/** netdevice(7): the flags of a device that is up, and of one with a carrier. */
function ofLink(device: string, link: LinkLine | undefined): string | undefined {
  if (link === undefined) return `there is no ${device}`;
  if (!link.flags.includes('UP')) return `${device} is down`;
  return link.flags.includes('LOWER_UP') && !link.flags.includes('NO-CARRIER') ? undefined : `${device} has no carrier`;
}
