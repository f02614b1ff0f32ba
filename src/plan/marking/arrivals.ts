import type { Facts } from '../facts.js';
import { FAMILIES, pathOf, type Family, type Group, type Path } from '../wayout.js';

/** How new connections that come in by a path are known, and whose candidates they are. */
export interface Arrival {
  /** Stands for all groups of the path: the lowest of their slots. */
  readonly slot: number;
  readonly groups: readonly Group[];
  readonly device: string;
  /** The router's link-layer address, where the device alone does not tell (RFC 826, 4861). */
  readonly router?: string;
  /** Main has a default route by the device, but answers by another one, or may do so. */
  readonly behind?: true;
}

/** New connections that come in by a group's path are its candidates: a member's answer goes back that way. */
export function arrivals(family: Family, groups: readonly Group[], facts: Facts): Arrival[] {
  return usersOf(family, groups, facts).flatMap(({ path, groups: sharing, knownBy, behind }) => {
    const known = { slot: sharing[0]!.slot, groups: sharing, device: path.device };
    if (knownBy === 'device') return [behind ? { ...known, behind } : known];
    const router = routerOf(path, facts);
    return knownBy === undefined || router === undefined ? [] : [{ ...known, router }];
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
  /** How a packet that came by this path is known; undefined where main answers that way itself. */
  readonly knownBy: 'device' | 'router' | undefined;
  readonly behind: boolean;
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
    const isMain = main.some((route) => route.nextHop === path.nextHop && route.hidden !== true);
    // Without a next hop there is one far end only.
    const isShared = path.nextHop !== undefined && (main.length > 0 || others);
    const knownBy = isMain ? undefined : isShared ? 'router' : 'device';
    return { path, groups: sharing, knownBy, behind: !isMain && main.length > 0 };
  });
}

/** A path's name, by which neighbours are known. */
export const nameOf = ({ nextHop, device }: Path): string => `${nextHop ?? ''}%${device}`;

const routerOf = (path: Path, { neighbours }: Facts): string | undefined => neighbours.get(nameOf(path));
