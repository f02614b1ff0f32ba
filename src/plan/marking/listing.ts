import type { FirewallThing } from '../things.js';
import { parseGroupName, parseKey, pathOf, type Group } from '../wayout.js';
import { elementId, isCollection, TABLE } from './nftables.js';
import { chainState, noteIn } from './rules.js';

/** What of `nft -j list table inet via` is read. */
interface Listed {
  readonly table?: object;
  readonly counter?: { readonly name: string; readonly packets: number; readonly bytes: number };
  readonly set?: Collection;
  readonly map?: Collection;
  readonly chain?: { readonly name: string; readonly type?: string; readonly hook?: string; readonly prio?: number };
  readonly rule?: { readonly chain: string; readonly comment?: string };
}

interface Collection {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

/** How much was sent: of packets that the kernel has put together to be cut later (GSO), it counts one. */
export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** Our table as it is: its things, the groups it names, and what each of them sent and stopped. */
export interface FirewallSeen {
  /** The table of our name is somebody else's: none of our maps is in it. */
  readonly foreign: boolean;
  readonly things: readonly FirewallThing[];
  readonly groups: readonly Pick<Group, 'uuid' | 'owner' | 'slot' | 'wayOut' | 'firewall'>[];
  /** `<next hop>%<device>` -> the link-layer address by which the table knows the router. */
  readonly routers: ReadonlyMap<string, string>;
  /** slot -> what has left by the group's paths. */
  readonly sent: ReadonlyMap<number, Count>;
  /** slot -> what was stopped by the guard. */
  readonly stopped: ReadonlyMap<number, Count>;
}

/** Reads the JSON of `nft -j list table inet via` (libnftables-json(5)); no text means no table. */
export function readListing(json: string): FirewallSeen {
  const nothing = { foreign: false, things: [], groups: [], routers: new Map(), sent: new Map(), stopped: new Map() };
  if (json.trim() === '') return nothing;
  const { nftables } = JSON.parse(json) as { nftables: readonly Listed[] };
  if (!nftables.some(({ map }) => map !== undefined && isCollection(`map ${map.name}`)))
    return { ...nothing, foreign: nftables.some(({ table }) => table !== undefined) };
  const comments = new Map<string, string[]>();
  for (const { rule } of nftables) {
    if (rule === undefined) continue;
    comments.set(rule.chain, [...(comments.get(rule.chain) ?? []), rule.comment ?? '']);
  }
  const things = nftables.flatMap((listed) => thingsOf(listed, comments));
  const groups = groupsIn(comments);
  return {
    foreign: false,
    things,
    groups,
    routers: routersIn(things, groups),
    sent: counts('sent', nftables),
    stopped: counts('stopped', nftables),
  };
}

/** The counters of a name, by slot. */
function counts(name: 'sent' | 'stopped', nftables: readonly Listed[]): Map<number, Count> {
  return new Map(
    nftables.flatMap(({ counter }) => {
      const [, of, slot] = /^([a-z]+)_(\d+)$/.exec(counter?.name ?? '') ?? [];
      if (counter === undefined || of !== name) return [];
      return [[Number(slot), { packets: counter.packets, bytes: counter.bytes }] as const];
    }),
  );
}

function thingsOf(listed: Listed, comments: ReadonlyMap<string, string[]>): FirewallThing[] {
  const { table, counter, set, map, chain } = listed;
  if (table !== undefined) return [seen('table', '', true)];
  if (counter !== undefined) return [seenCounter(counter)];
  if (set !== undefined) return [seen(`set ${set.name}`, '', true), ...elementsOf(set)];
  if (map !== undefined) return [seen(`map ${map.name}`, '', true), ...elementsOf(map)];
  if (chain === undefined) return [];
  const hook = chain.hook === undefined ? '' : `${chain.type} ${chain.hook} ${chain.prio}`;
  return [seen(`chain ${chain.name}`, chainState(hook, comments.get(chain.name) ?? []), hook !== '')];
}

/** With what it has counted, so that it can be made anew. */
function seenCounter({ name, packets, bytes }: NonNullable<Listed['counter']>): FirewallThing {
  const text = `add counter ${TABLE} ${name} { packets ${packets} bytes ${bytes}; }`;
  return { ...seen(`counter ${name}`, ''), add: () => [text] };
}

function seen(id: string, state: string, fixed = false): FirewallThing {
  return { kind: 'firewall', by: 'nft', id, scope: 'namespace', state, fixed, add: () => [] };
}

/** A set's elements are keys; a map's are pairs of key and verdict. */
function elementsOf({ name, elem = [] }: Collection): FirewallThing[] {
  return elem.map((element) => {
    const [key, verdict] = Array.isArray(element) ? (element as [unknown, Verdict]) : [element, undefined];
    return seen(elementId(name, keyParts(key)), verdict?.goto?.target ?? '');
  });
}

interface Verdict {
  readonly goto?: { readonly target: string };
}

function keyParts(key: unknown): (string | number)[] {
  if (typeof key === 'string' || typeof key === 'number') return [key];
  const { concat, prefix } = key as { concat?: unknown[]; prefix?: { addr: string; len: number } };
  if (prefix !== undefined) return [`${prefix.addr}/${prefix.len}`];
  return concat?.flatMap((part) => keyParts(part)) ?? [JSON.stringify(key)];
}

/** A group is known by two comments of its chains: the guard's uuid, and the key of its way out. */
function groupsIn(comments: ReadonlyMap<string, readonly string[]>): FirewallSeen['groups'] {
  return [...comments.keys()].flatMap((name) => {
    const slot = Number(/^guard_(\d+)$/.exec(name)?.[1]);
    const named = parseGroupName(noteOf(comments.get(`guard_${slot}`)));
    const wayOut = parseKey(noteOf(comments.get(`new_${slot}`)) ?? '');
    return named === undefined || wayOut === undefined ? [] : [{ ...named, slot, wayOut, firewall: 'nft' as const }];
  });
}

/** A router's arrivals lead to the chain of a group that goes by it. */
function routersIn(things: readonly FirewallThing[], groups: FirewallSeen['groups']): Map<string, string> {
  return new Map(
    things.flatMap(({ id, state }) => {
      const [, family, device, address] =
        /^element arrival_of_router \{ ipv([46]) \. "([^"]+)" \. (\S+) \}$/.exec(id) ?? [];
      const group = groups.find(({ slot }) => state === `arrive_${slot}`);
      const path = group === undefined ? undefined : pathOf(group.wayOut, family === '4' ? 4 : 6);
      if (address === undefined || path?.nextHop === undefined || path.device !== device) return [];
      return [[`${path.nextHop}%${device}`, address] as const];
    }),
  );
}

const noteOf = (comments: readonly string[] = []): string | undefined => noteIn(comments.at(-1) ?? '');
