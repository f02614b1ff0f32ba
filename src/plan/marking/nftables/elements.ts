import type { Facts } from '../../facts.js';
import { containing } from '../../networks.js';
import { candidateOf, markOf, VISITOR } from '../../numbers.js';
import { FAMILIES, type Family } from '../../family.js';
import type { Group } from '../../wayout.js';
import { arrivals } from '../arrivals.js';
import { clamps, refuses, translates } from './chains.js';

/** An element of a set or map of the table. `key` has its parts in their order. */
export interface Element {
  readonly of: string;
  readonly key: readonly (string | number)[];
  readonly leadsTo?: string;
  readonly shared?: boolean;
}

/** The elements that these groups need. */
export function elements(groups: readonly Group[], facts: Facts): Element[] {
  return [
    ...(groups.some(({ wayOut }) => wayOut.lan) ? lans(facts) : []),
    { of: 'candidates', key: [VISITOR], shared: true },
    ...groups.flatMap((group) => dispatch(group, facts)),
    ...FAMILIES.flatMap((family) => candidates(family, groups, facts)),
  ];
}

/** The connected networks. A set of intervals allows no overlap, so of nested networks on one device only the widest counts. */
export function lans({ lans: all }: Facts): Element[] {
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
    ...(refuses(group, facts) ? [{ of: 'refuse_of_class', key: [classId], leadsTo: `refuse_${slot}` }] : []),
    { of: 'new_of_class', key: [classId], leadsTo: `new_${slot}` },
    { of: 'guard_of_class', key: [classId], leadsTo: `guard_${slot}` },
    { of: 'receive_of_class', key: [classId], leadsTo: `receive_${slot}` },
    ...(clamps(group, facts) ? [{ of: 'clamp_of_mark', key: [mark], leadsTo: `clamp_${slot}` }] : []),
    ...(translates(group, facts) ? [{ of: 'source_of_mark', key: [mark], leadsTo: `source_${slot}` }] : []),
    { of: 'set_of_mark', key: [mark], leadsTo: `set_${slot}` },
    { of: 'guard_of_mark', key: [mark], leadsTo: `guard_${slot}` },
  ];
}

function candidates(family: Family, groups: readonly Group[], facts: Facts): Element[] {
  const protocol = `ipv${family}`;
  return arrivals(family, groups, facts).flatMap(({ slot, groups: sharing, isUsual, guests, device, router }) => [
    router === undefined
      ? { of: 'arrival_of_device', key: [protocol, device], leadsTo: `arrive_${slot}` }
      : { of: 'arrival_of_router', key: [protocol, device, router], leadsTo: `arrive_${slot}` },
    { of: 'candidates', key: [candidateOf(slot)] },
    ...(isUsual ? [{ of: 'usual', key: [protocol, device, candidateOf(slot)] }] : []),
    { of: 'set_of_candidate', key: [candidateOf(slot)], leadsTo: `set_${slot}` },
    { of: 'guard_of_candidate', key: [candidateOf(slot)], leadsTo: `guard_${slot}` },
    ...sharing.map((group) => ({
      of: 'answer_of_candidate',
      key: [protocol, candidateOf(slot), group.classId],
      leadsTo: `new_${group.slot}`,
    })),
    ...guests.map((group) => ({
      of: 'answer_of_candidate',
      key: [protocol, candidateOf(slot), group.classId],
      leadsTo: `new_${slot}`,
    })),
    ...(guests.length === 0 ? [] : sharing).map((group) => ({
      of: 'guard_of_usual',
      key: [protocol, markOf(group.slot)],
      leadsTo: `guard_${group.slot}`,
    })),
  ]);
}
