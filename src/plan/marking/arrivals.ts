import type { Facts } from '../facts.js';
import { FAMILIES, pathOf, wayOf, type Family, type Group, type Path } from '../wayout.js';

/** How new connections that come in by a path are known, and whose candidates they are. */
export interface Arrival {
  /** Stands for all groups of the path: the lowest of their slots. */
  readonly slot: number;
  readonly groups: readonly Group[];
  /** Main has a default route by the device. */
  readonly hasDefault: boolean;
  /** It is the one that main takes, and goes by that path, whatever more specific comes ahead of it. */
  readonly isUsual: boolean;
  /** Other groups whose members answer that way too what came by it: it is main's, as if they were in no group. */
  readonly guests: readonly Group[];
  readonly device: string;
  /** The router's link-layer address, where the device alone does not tell (RFC 826, 4861). */
  readonly router?: string;
}

/** New connections that come in by a group's path are its candidates: a member's answer goes back that way. */
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
  readonly hasDefault: boolean;
  /** It is main's way, or one of those that main shares out what it sends among. */
  readonly isMains: boolean;
  readonly isUsual: boolean;
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
    const hasDefault = main.length > 0;
    const first = main.filter((route) => route.first === true);
    const isMains = first.some((route) => (nextHop ?? route.nextHop) === route.nextHop);
    // Of two routers on one link that main takes by turns, the device does not tell which.
    const isUsual = isMains && (nextHop === undefined || first.length === 1);
    const isShared = nextHop !== undefined && (hasDefault || others);
    return { path, groups: sharing, knownBy: isShared ? 'router' : 'device', hasDefault, isMains, isUsual };
  });
}

/** A path's name, by which neighbours are known. */
export const nameOf = ({ nextHop, device }: Path): string => `${nextHop ?? ''}%${device}`;

const routerOf = (path: Path, { neighbours }: Facts): string | undefined => neighbours.get(nameOf(path));
