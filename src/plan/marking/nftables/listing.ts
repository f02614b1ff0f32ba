import type { FirewallThing } from '../../things.js';
import { elementId, isCollection, TABLE } from './nftables.js';
import { chainState, noteIn } from '../rules.js';
import { namedGroup, namedRouter, type Count, type NamedGroup, type SeenRules } from '../seen.js';

/** The parts of `nft -j list table inet via` that are read. */
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

/** Our table as it exists. */
export interface SeenTable extends SeenRules {
  /** A table of our name exists, but has none of our maps: it belongs to another tool. */
  readonly foreign: boolean;
}

/** Reads the JSON of `nft -j list table inet via` (libnftables-json(5)); no text means no table. */
export function readListing(json: string): SeenTable {
  if (json.trim() === '') return EMPTY;
  const { nftables } = JSON.parse(json) as { nftables: readonly Listed[] };
  if (!nftables.some(({ map }) => map !== undefined && isCollection(`map ${map.name}`)))
    return { ...EMPTY, foreign: nftables.some(({ table }) => table !== undefined) };
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

const EMPTY: SeenTable = {
  foreign: false,
  things: [],
  groups: [],
  routers: new Map(),
  sent: new Map(),
  stopped: new Map(),
};

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

/** A counter with its value, so that a new table can continue it. */
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

function groupsIn(comments: ReadonlyMap<string, readonly string[]>): NamedGroup[] {
  return [...comments.keys()].flatMap((chain) => {
    const slot = Number(/^guard_(\d+)$/.exec(chain)?.[1]);
    const notes = { name: noteOf(comments.get(`guard_${slot}`)), key: noteOf(comments.get(`new_${slot}`)) };
    return namedGroup(slot, 'nft', notes);
  });
}

/** The verdict of a router's arrivals leads to the chain of a group that uses the router. */
function routersIn(things: readonly FirewallThing[], groups: readonly NamedGroup[]): Map<string, string> {
  return new Map(
    things.flatMap(({ id, state }) => {
      const [, family, device = '', address] =
        /^element arrival_of_router \{ ipv([46]) \. "([^"]+)" \. (\S+) \}$/.exec(id) ?? [];
      const slot = Number(/^arrive_(\d+)$/.exec(state)?.[1]);
      return namedRouter(groups, { slot, family: family === '4' ? 4 : 6, device, address });
    }),
  );
}

const noteOf = (comments: readonly string[] = []): string | undefined => noteIn(comments.at(-1) ?? '');
