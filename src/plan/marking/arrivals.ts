import type { Facts } from '../facts.js';
import { FAMILIES, type Family } from '../family.js';
import { pathOf, wayOf, type Group, type Path } from '../wayout.js';

/** The new connections that arrive by a path: how they are recognised, and the groups whose candidates they are. */
export interface Arrival {
  /** The lowest slot of the groups of the path. It stands for all of them. */
  readonly slot: number;
  readonly groups: readonly Group[];
  /** Main has a default route by the device. */
  readonly hasDefault: boolean;
  /** Main's default route in use goes by this path, even if a more specific route is ahead of it. */
  readonly isUsual: boolean;
  /** Other groups whose members answer by this path what arrived by it, because it is main's own. */
  readonly guests: readonly Group[];
  readonly device: string;
  /** The router's link-layer address, if the device has several routers (RFC 826, 4861). */
  readonly router?: string;
}

/** The arrivals of all paths of groups. A member's answer to a connection that arrived by a path leaves by that path. */
export function arrivals(family: Family, groups: readonly Group[], facts: Facts): Arrival[] {
  return usersOf(family, groups, facts).flatMap(({ path, groups: sharing, knownBy, hasDefault, isMains, isUsual }) => {
    const isGuest = (group: Group): boolean => !sharing.includes(group) && wayOf(group.wayOut, family) !== 'allow';
    const guests = isMains ? groups.filter(isGuest) : [];
    const known = { slot: sharing[0]!.slot, groups: sharing, hasDefault, isUsual, guests, device: path.device };
    if (knownBy === 'device') return [known];
    const router = routerOf(path, facts);
    return router === undefined ? [] : [{ ...known, router }];
  });
}

/** The routers whose link-layer addresses are needed and not known. */
export function unknownRouters(groups: readonly Group[], facts: Facts): Required<Path>[] {
  return FAMILIES.flatMap((family) => usersOf(family, groups, facts)).flatMap(({ path, knownBy }) => {
    const { device, nextHop } = path;
    if (knownBy !== 'router' || nextHop === undefined || routerOf(path, facts) !== undefined) return [];
    return [{ device, nextHop }];
  });
}

interface Users {
  readonly path: Path;
  readonly groups: readonly Group[];
  /** How packets that arrive by this path are recognised. */
  readonly knownBy: 'device' | 'router';
  readonly hasDefault: boolean;
  /** It is main's path, or one of several that main uses by turns. */
  readonly isMains: boolean;
  readonly isUsual: boolean;
}

/** The paths of a family, with the groups that use them in the order of their slots. */
function usersOf(family: Family, groups: readonly Group[], { defaults }: Facts): Users[] {
  const users = new Map<string, { path: Path; groups: Group[] }>();
  for (const group of [...groups].sort((a, b) => a.slot - b.slot)) {
    const path = pathOf(group.wayOut, family);
    if (path === undefined) continue;
    const known = users.get(nameOf(path)) ?? { path, groups: [] };
    users.set(nameOf(path), { path, groups: [...known.groups, group] });
  }
  return [...users.values()].map(({ path, groups: sharing }) => {
    const others = [...users.values()].filter((other) => other.path.device === path.device).length > 1;
    const main = defaults.filter((route) => route.family === family && route.device === path.device);
    // Without a next hop the device has a single peer.
    const { nextHop } = path;
    const hasDefault = main.length > 0;
    const first = main.filter((route) => route.first === true);
    const isMains = first.some((route) => (nextHop ?? route.nextHop) === route.nextHop);
    // If main uses two routers of one link by turns, the device does not show which one is meant.
    const isUsual = isMains && (nextHop === undefined || first.length === 1);
    const isShared = nextHop !== undefined && (hasDefault || others);
    return { path, groups: sharing, knownBy: isShared ? 'router' : 'device', hasDefault, isMains, isUsual };
  });
}

/** The name of a path, `<next hop>%<device>`. */
export const nameOf = ({ nextHop, device }: Path): string => `${nextHop ?? ''}%${device}`;

const routerOf = (path: Path, { neighbours }: Facts): string | undefined => neighbours.get(nameOf(path));
