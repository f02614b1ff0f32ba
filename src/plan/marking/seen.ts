import type { FirewallThing, Firewall } from '../things.js';
import type { Family } from '../family.js';
import { parseGroupName, parseKey, pathOf, type Group } from '../wayout.js';
import { nameOf } from './arrivals.js';

/** Counted packets and bytes. A packet that the kernel segments later (GSO) counts once. */
export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** A group as our rules name it. */
export type NamedGroup = Pick<Group, 'uuid' | 'owner' | 'slot' | 'wayOut' | 'firewall'>;

/** Our rules that exist in one firewall: the things, and the groups, routers and counters in them. */
export interface SeenRules {
  readonly things: readonly FirewallThing[];
  readonly groups: readonly NamedGroup[];
  /** The link-layer addresses of routers in our rules, by `<next hop>%<device>`. */
  readonly routers: ReadonlyMap<string, string>;
  /** The packets that left by each group's paths, by slot. */
  readonly sent: ReadonlyMap<number, Count>;
  /** The packets that each group's guard stopped, by slot. */
  readonly stopped: ReadonlyMap<number, Count>;
}

/** The group of a slot, from the notes of two of its chains: the guard's has its name, the other its way out's key. */
export function namedGroup(
  slot: number,
  firewall: Firewall,
  notes: { readonly name: string | undefined; readonly key: string | undefined },
): NamedGroup[] {
  const named = parseGroupName(notes.name);
  const wayOut = parseKey(notes.key ?? '');
  return named === undefined || wayOut === undefined ? [] : [{ ...named, slot, wayOut, firewall }];
}

/** A router's link-layer address, from the rule for what arrives by it. The rule names a group that uses the router. */
export function namedRouter(
  groups: readonly NamedGroup[],
  { slot, family, device, address }: { slot: number; family: Family; device: string; address: string | undefined },
): [string, string][] {
  const group = groups.find((one) => one.slot === slot);
  const path = group === undefined ? undefined : pathOf(group.wayOut, family);
  if (address === undefined || path?.nextHop === undefined || path.device !== device) return [];
  return [[nameOf(path), address]];
}
