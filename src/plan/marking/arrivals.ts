import type { Facts } from '../facts.js';
import { FAMILIES, pathOf, wayOf, type Family, type Group, type Path } from '../wayout.js';

/** How new connections that come in by a path are known, and whose candidates they are. */
export interface Arrival {
  /** Stands for all groups of the path: the lowest of their slots. */
  readonly slot: number;
  readonly groups: readonly Group[];
  /** Main's default route goes by that path, whatever comes ahead of that route. */
  readonly isMains: boolean;
  /** Other groups whose members answer that way too what came by it: it is main's, as if they were in no group. */
  readonly guests: readonly Group[];
  readonly device: string;
  /** The router's link-layer address, where the device alone does not tell (RFC 826, 4861). */
  readonly router?: string;
}

/** New connections that come in by a group's path are its candidates: a member's answer goes back that way. */
export function arrivals(family: Family, groups: readonly Group[], facts: Facts): Arrival[] {
  return usersOf(family, groups, facts).flatMap(({ path, groups: sharing, knownBy, isMains }) => {
    const isGuest = (group: Group): boolean => !sharing.includes(group) && wayOf(group.wayOut, family) !== 'allow';
    const guests = isMains ? groups.filter(isGuest) : [];
    const known = { slot: sharing[0]!.slot, groups: sharing, isMains, guests, device: path.device };
    if (knownBy === 'device') return [known];
    const router = routerOf(path, facts);
    return router === undefined ? [] : [{ ...known, router }];
  });
}

/** The routers whose link-layer address tells what came by them, and is not known. */
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
  /** How a packet that came by this path is known. */
  readonly knownBy: 'device' | 'router';
  readonly isMains: boolean;
}

/** The paths of a family with the groups that use them, the group with the lowest slot first. */
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
    // Without a next hop there is one far end only, whatever main calls it.
    const { nextHop } = path;
    const isMains = main.some((route) => route.first === true && (nextHop ?? route.nextHop) === route.nextHop);
    const isShared = nextHop !== undefined && (main.length > 0 || others);
    return { path, groups: sharing, knownBy: isShared ? 'router' : 'device', isMains };
  });
}

/** A path's name, by which neighbours are known. */
export const nameOf = ({ nextHop, device }: Path): string => `${nextHop ?? ''}%${device}`;

const routerOf = (path: Path, { neighbours }: Facts): string | undefined => neighbours.get(nameOf(path));
