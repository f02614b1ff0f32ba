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
  const users = new Map<string, { path: Path; groups: Group[] }>();
  for (const group of [...groups].sort((a, b) => a.slot - b.slot)) {
    const path = pathOf(group.wayOut, family);
    if (path === undefined) continue;
    const name = `${path.nextHop ?? ''}%${path.device}`;
    const known = users.get(name) ?? { path, groups: [] };
    users.set(name, { path, groups: [...known.groups, group] });
  }
  return [...users.values()].flatMap(({ path, groups: sharing }) => {
    const [first] = sharing;
    const others = [...users.values()].filter((other) => other.path.device === path.device).length > 1;
    const key = arrivalKey(family, path, others, facts);
    if (first === undefined || key === undefined) return [];
    const candidate = candidateOf(first.slot);
    return [
      { of: key.length === 3 ? 'arrival_of_router' : 'arrival_of_device', key, leadsTo: `arrive_${first.slot}` },
      { of: 'candidates', key: [candidate] },
      ...sharing.map(({ slot, classId }) => ({
        of: 'answer_of_candidate',
        key: [`ipv${family}`, candidate, classId],
        leadsTo: `new_${slot}`,
      })),
    ];
  });
}

/**
 * How a packet that came by this path is known: by its device; by its router's address where other traffic uses the
 * device too. Undefined where main answers that way itself, or where the router's address is not known (RFC 826, 4861).
 */
function arrivalKey(family: Family, path: Path, others: boolean, facts: Facts): string[] | undefined {
  const { device, nextHop } = path;
  const protocol = `ipv${family}`;
  const defaults = facts.defaults.filter((route) => route.family === family && route.device === device);
  if (defaults.some((route) => route.nextHop === nextHop)) return undefined;
  if (defaults.length === 0 && !others) return [protocol, device];
  const router = facts.neighbours.get(`${nextHop ?? ''}%${device}`);
  return router === undefined ? undefined : [protocol, device, router];
}
