import { isOwnAddress, type LinkLine, type RouteLine } from '../kernel/routing.js';
import { FAMILIES, pathOf, type Family, type Path, type WayOut } from '../plan/wayout.js';
import type { Known } from './resolve.js';
import { CONNECTED, foreign, hopsOf, isUnicast, onLinkOn, prefixOf } from './routes.js';

/**
 * Why nothing can leave by a way out now, in a few words, behind `IPv4: ` or `IPv6: ` where that is so for one family of
 * two; undefined where all its paths are there. A router counts as gone when the kernel has asked for it in vain
 * (RFC 4861, 7.3.3; arp(7)), which it does only where something is sent. `wasLost` tells what a family was before.
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
 * Why a path is not there now, whatever its router says; undefined where it is. As for a launch the next hop has to be
 * on-link, and that of a device its default route's: without an address of the device's own, what is sent would get
 * another device's. So it would while an IPv6 address is tentative (RFC 4862): then its network is there, and the address
 * is not.
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
  // What somebody typed says nothing of addresses: the device may have none, and never get one.
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
 * Why a path's router cannot be reached, though the path is there. While the kernel is asking for it once more, it is what
 * it was before (`wasLost`).
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

/** Devices with an address of their own that is good for more than their link, by family: `4 c2`. */
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

/** Of the link alone, or of everybody (RFC 4291). */
const isOfLink = ({ dst }: RouteLine): boolean => /^(fe[89ab]|ff)/.test(dst);

/** netdevice(7): the flags of a device that is up, and of one with a carrier. */
function ofLink(device: string, link: LinkLine | undefined): string | undefined {
  if (link === undefined) return `there is no ${device}`;
  if (!link.flags.includes('UP')) return `${device} is down`;
  return link.flags.includes('LOWER_UP') && !link.flags.includes('NO-CARRIER') ? undefined : `${device} has no carrier`;
}
