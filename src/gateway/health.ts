import { tableOfLine, type LinkLine, LOCAL_TABLE } from '../kernel/routing.js';
import { FAMILIES, pathOf, type Family, type Path, type WayOut } from '../plan/wayout.js';
import type { Known } from './resolve.js';

/**
 * Why nothing can leave by a way out now, in a few words; undefined where one of its paths is there. A router counts as
 * gone when the kernel has asked for it in vain (RFC 4861, 7.3.3; arp(7)), which it does only where something is sent.
 */
export function lostBecause(wayOut: WayOut, known: Known): string | undefined {
  const families = FAMILIES.filter((family) => pathOf(wayOut, family) !== undefined && (family === 4 || known.v6));
  const reasons = families.map((family) => ofPath(pathOf(wayOut, family)!, family, known));
  return reasons.length > 0 && reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}

function ofPath({ device, nextHop }: Path, family: Family, { routing }: Known): string | undefined {
  const link = routing[4].links.find(({ ifname }) => ifname === device);
  const broken = ofLink(device, link);
  if (broken !== undefined) return broken;
  const own = routing[family].routes.filter((route) => tableOfLine(route) === LOCAL_TABLE && route.dev === device);
  if (nextHop !== undefined && !own.some(({ type }) => type === LOCAL)) return `${device} has no IPv${family} address`;
  const router = routing[family].neighbours.find(({ dst, dev }) => dst === nextHop && dev === device);
  return router?.state.includes('FAILED') === true ? `${nextHop} does not answer on ${device}` : undefined;
}

/** netdevice(7): the flags of a device that is up, and of one with a carrier. */
function ofLink(device: string, link: LinkLine | undefined): string | undefined {
  if (link === undefined) return `there is no ${device}`;
  if (!link.flags.includes('UP')) return `${device} is down`;
  return link.flags.includes('LOWER_UP') && !link.flags.includes('NO-CARRIER') ? undefined : `${device} has no carrier`;
}

/** rtnetlink(7), RTN_LOCAL. */
const LOCAL = '2';
