import type { Facts } from '../facts.js';
import { containing } from '../networks.js';
import { candidateOf, markOf } from '../numbers.js';
import { FAMILIES, pathOf, type Family, type Group, type Path } from '../wayout.js';
import { clamps, refuses } from './chains.js';

/** An element of one of the table's sets and maps; `key` is its parts in their order. */
export interface Element {
  readonly of: string;
  readonly key: readonly (string | number)[];
  readonly leadsTo?: string;
  readonly shared?: boolean;
}

/** The elements these groups need. */
export function elements(groups: readonly Group[], facts: Facts): Element[] {
  return [
    ...(groups.some(({ wayOut }) => wayOut.lan) ? lans(facts) : []),
    ...groups.flatMap((group) => dispatch(group, facts)),
    ...FAMILIES.flatMap((family) => arrivals(family, groups, facts)),
  ];
}

/** A set of intervals takes no two that overlap: of networks within each other on one device, the widest. */
function lans({ lans: all }: Facts): Element[] {
  const widest = all.filter(
    ({ family, device, network }) =>
      !all.some(
        (other) =>
          other.family === family &&
          other.device === device &&
          other.network !== network &&
          prefixLength(other.network) < prefixLength(network) &&
          containing(other.network, network.split('/')[0] ?? '', family),
      ),
  );
  return widest.map(({ family, device, network }) => ({ of: `lan${family}`, key: [device, network], shared: true }));
}

/** A network without a length is one address. */
const prefixLength = (network: string): number => Number(network.split('/')[1] ?? 128);

function dispatch(group: Group, facts: Facts): Element[] {
  const { slot, classId } = group;
  const mark = markOf(slot);
  return [
    { of: 'classes', key: [classId] },
    { of: 'marks', key: [mark] },
    { of: 'zone_of_class', key: [classId], leadsTo: `zone_${slot}` },
    ...(refuses(group) ? [{ of: 'refuse_of_class', key: [classId], leadsTo: `refuse_${slot}` }] : []),
    { of: 'new_of_class', key: [classId], leadsTo: `new_${slot}` },
    { of: 'guard_of_class', key: [classId], leadsTo: `guard_${slot}` },
    ...(clamps(group, facts) ? [{ of: 'clamp_of_mark', key: [mark], leadsTo: `clamp_${slot}` }] : []),
    { of: 'set_of_mark', key: [mark], leadsTo: `set_${slot}` },
    { of: 'guard_of_mark', key: [mark], leadsTo: `guard_${slot}` },
  ];
}

/**
 * New connections that come in by a group's path are its candidates: a member's answer goes back that way. One slot
 * stands for all groups of a path, the lowest.
 */
function arrivals(family: Family, groups: readonly Group[], facts: Facts): Element[] {
  return usersOf(family, groups, facts).flatMap(({ path, groups: sharing, knownBy }) => {
    const [first] = sharing;
    const router = routerOf(path, facts);
    if (first === undefined || knownBy === undefined || (knownBy === 'router' && router === undefined)) return [];
    const candidate = candidateOf(first.slot);
    const key = [`ipv${family}`, path.device, ...(knownBy === 'router' && router !== undefined ? [router] : [])];
    return [
      { of: `arrival_of_${knownBy}`, key, leadsTo: `arrive_${first.slot}` },
      { of: 'candidates', key: [candidate] },
      ...sharing.map(({ slot, classId }) => ({
        of: 'answer_of_candidate',
        key: [`ipv${family}`, candidate, classId],
        leadsTo: `new_${slot}`,
      })),
    ];
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
    const isMain = main.some((route) => route.nextHop === path.nextHop);
    return { path, groups: sharing, knownBy: isMain ? undefined : main.length > 0 || others ? 'router' : 'device' };
  });
}

const nameOf = ({ nextHop, device }: Path): string => `${nextHop ?? ''}%${device}`;

/** A path's router by its link-layer address (RFC 826, 4861), where other traffic uses the device too. */
const routerOf = (path: Path, { neighbours }: Facts): string | undefined => neighbours.get(nameOf(path));
