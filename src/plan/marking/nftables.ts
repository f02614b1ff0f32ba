import type { Facts } from '../facts.js';
import type { Change, FirewallThing, Scope } from '../things.js';
import type { Group } from '../wayout.js';
import { groupChains } from './chains.js';
import { elements, type Element } from './elements.js';
import { hooks, lanRules } from './hooks.js';
import type { Marking } from './marking.js';
import { chainState, commentsOf, type Rule } from './rules.js';

/** Our one table in a network namespace. */
export const TABLE = 'inet via';

/** nftables: one table, dispatch by verdict maps, each group's rules in chains of its own. */
export const nftables: Marking = { wanted, transaction };

function wanted(groups: readonly Group[], facts: Facts): FirewallThing[] {
  if (groups.length === 0) return [];
  return [
    thing('table', 'namespace', '', [`add table ${TABLE}`]),
    ...COLLECTIONS.map(([id, type]) => thing(id, 'namespace', '', [`add ${withTable(id)} { ${type}; }`])),
    chain('lan', lanRules(facts.v6)),
    ...groups.flatMap((group) => [
      counter(group.slot),
      ...groupChains(group, facts.v6).map(([name, rules]) => chain(name, rules, { scope: 'group', owner: group.uuid })),
    ]),
    ...hooks(facts.v6).map(([name, hook, rules]) => chain(name, rules, { hook })),
    ...unique(elements(groups, facts)).map((element) => elementThing(element)),
  ];
}

/** Additions in their order; removals after them, what leads to something before what it leads to. */
function transaction(changes: readonly Change[]): string {
  const lines: string[] = [];
  const removals: string[] = [];
  for (const { do: what, thing } of changes) {
    if (thing.kind !== 'firewall') continue;
    if (what === 'remove') removals.push(...thing.remove);
    else if (what === 'add') lines.push(...thing.add);
    else if (thing.id.startsWith('chain ')) lines.push(`flush ${withTable(thing.id)}`, ...thing.add);
    else lines.push(...thing.remove, ...thing.add);
  }
  const sorted = REMOVALS.flatMap((verb) => removals.filter((line) => line.startsWith(verb)));
  // A table that goes and comes in one transaction was named first: deleted, then made anew.
  const anew = lines[0]?.startsWith('add table') === true && sorted.at(-1)?.startsWith('delete table') === true;
  return (anew ? [...sorted, ...lines] : [...lines, ...sorted]).map((line) => `${line}\n`).join('');
}

const REMOVALS = ['delete element', 'flush chain', 'delete chain', 'delete counter', 'delete table'];

/** Sets and maps; `typeof` where nft has no name for the type. Every map leads to a chain of a group. */
const COLLECTIONS: readonly (readonly [id: string, type: string])[] = [
  ['set classes', 'typeof meta cgroup'],
  ['set marks', 'type mark'],
  ['set candidates', 'type mark'],
  ['set lan4', 'type ifname . ipv4_addr; flags interval'],
  ['set lan6', 'type ifname . ipv6_addr; flags interval'],
  ['map zone_of_class', 'typeof meta cgroup : verdict'],
  ['map refuse_of_class', 'typeof meta cgroup : verdict'],
  ['map new_of_class', 'typeof meta cgroup : verdict'],
  ['map guard_of_class', 'typeof meta cgroup : verdict'],
  ['map set_of_mark', 'type mark : verdict'],
  ['map guard_of_mark', 'type mark : verdict'],
  ['map arrival_of_device', 'typeof meta nfproto . iifname : verdict'],
  ['map arrival_of_router', 'typeof meta nfproto . iifname . ether saddr : verdict'],
  ['map answer_of_candidate', 'typeof meta nfproto . ct mark . meta cgroup : verdict'],
];

/** `chain x` -> `chain inet via x`. */
const withTable = (id: string): string => id.replace(' ', ` ${TABLE} `);

function thing(id: string, scope: Scope, state: string, add: readonly string[]): FirewallThing {
  return { kind: 'firewall', id, scope, state, add, ...removal(id) };
}

/** How a thing of the table is removed: `fixed` things only with the table. */
export function removal(id: string, base = false): Pick<FirewallThing, 'remove' | 'fixed'> {
  if (id === 'table') return { fixed: true, remove: [`delete table ${TABLE}`] };
  if (base || /^(set|map) /.test(id)) return { fixed: true, remove: [] };
  if (id.startsWith('chain ')) return { fixed: false, remove: [`flush ${withTable(id)}`, `delete ${withTable(id)}`] };
  return { fixed: false, remove: [`delete ${withTable(id)}`] };
}

function chain(name: string, rules: readonly Rule[], of: Belonging = {}): FirewallThing {
  const { scope = 'namespace', hook = '', owner } = of;
  const comments = commentsOf(rules, owner);
  const declaration =
    hook === '' ? '' : ` { type ${hook.replace(' ', ' hook ').replace(/ (-?\d+)$/, ' priority $1')}; }`;
  const add = [
    `add chain ${TABLE} ${name}${declaration}`,
    ...rules.map(({ text }, i) => `add rule ${TABLE} ${name} ${text} comment "${comments[i]}"`),
  ];
  return {
    ...thing(`chain ${name}`, scope, chainState(hook, comments), add),
    ...removal(`chain ${name}`, hook !== ''),
  };
}

/** Whose chain it is: the table's, with or without a hook, or a group's. */
interface Belonging {
  readonly scope?: Scope;
  readonly hook?: string;
  readonly owner?: string;
}

const counter = (slot: number): FirewallThing =>
  thing(`counter stopped_${slot}`, 'group', '', [`add counter ${TABLE} stopped_${slot}`]);

/** The id of an element: its set, and its key as nft takes it; names of devices are quoted there. */
export function elementId(of: string, key: readonly (string | number)[]): string {
  const device = of.startsWith('lan') ? 0 : of.startsWith('arrival') ? 1 : -1;
  return `element ${of} { ${key.map((part, i) => (i === device ? `"${part}"` : String(part))).join(' . ')} }`;
}

function elementThing({ of, key, leadsTo = '', shared = false }: Element): FirewallThing {
  const id = elementId(of, key);
  const verdict = leadsTo === '' ? '' : ` : goto ${leadsTo}`;
  return thing(id, shared ? 'namespace' : 'group', leadsTo, [`add ${withTable(id).replace(/ }$/, `${verdict} }`)}`]);
}

function unique(list: readonly Element[]): Element[] {
  return [...new Map(list.map((element) => [elementId(element.of, element.key), element])).values()];
}
