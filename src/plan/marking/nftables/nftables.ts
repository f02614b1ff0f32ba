import type { Facts } from '../../facts.js';
import { fallbacks } from '../../fallback.js';
import type { Change, FirewallThing, Scope } from '../../things.js';
import type { Group } from '../../wayout.js';
import { arrivals } from '../arrivals.js';
import { groupChains } from './chains.js';
import { elements, type Element } from './elements.js';
import { hooks } from './hooks.js';
import type { Marking } from '../marking.js';
import { chainState, commentsOf, ownerOf, type Rule } from '../rules.js';
import { sharedChains } from './shared.js';

/** Our one table in a network namespace. */
export const TABLE = 'inet via';

/** Marking by nftables: one table, dispatch by verdict maps, and chains for each group. */
export const nftables: Marking = {
  wanted,
  transactions: (changes) => {
    const input = transaction(changes);
    return input === '' ? [] : [{ argv: ['nft', '-f', '-'], input }];
  },
};

function wanted(groups: readonly Group[], facts: Facts): FirewallThing[] {
  if (groups.length === 0) return [];
  const fallen = [...fallbacks(groups, facts).keys()];
  const arrived = { 4: arrivals(4, groups, facts), 6: arrivals(6, groups, facts) };
  return [
    thing('table', 'namespace', true, '', () => [`add table ${TABLE}`]),
    ...COLLECTIONS.map(([id, type]) => thing(id, 'namespace', true, '', () => [`add ${named(id)} { ${type}; }`])),
    ...sharedChains(facts.v6, fallen).map(([name, rules]) => chain(name, rules)),
    ...groups.flatMap((group) => [
      counter(`sent_${group.slot}`),
      counter(`stopped_${group.slot}`),
      ...groupChains(group, facts, arrived).map(([name, rules]) =>
        chain(name, rules, { scope: 'group', owner: ownerOf(group) }),
      ),
    ]),
    ...hooks(facts.v6, fallen).map(([name, hook, rules]) => chain(name, rules, { hook })),
    ...unique(elements(groups, facts).map((element) => elementThing(element))),
  ];
}

/**
 * The text of one transaction. Elements are deleted first, because a new network may overlap with a deleted one. Then come
 * the additions in their order, then the other removals; a reference is removed before the chain that it leads to.
 */
function transaction(changes: readonly Change[]): string {
  const lines: string[] = [];
  const removals: string[] = [];
  for (const { do: what, thing } of changes) {
    if (thing.kind !== 'firewall') continue;
    if (what === 'remove') removals.push(...removal(thing.id));
    // A chain that is referenced cannot be deleted, only refilled.
    if (what === 'mend') lines.push(thing.id.startsWith('chain ') ? `flush ${named(thing.id)}` : removal(thing.id)[0]!);
    if (what !== 'remove') lines.push(...thing.add());
  }
  const sorted = REMOVALS.flatMap((verb) => removals.filter((line) => line.startsWith(verb)));
  // A table that is replaced is deleted first and then made, in one transaction.
  const anew = lines[0]?.startsWith('add table') === true;
  const first = (line: string): boolean => anew || line.startsWith('delete element');
  const ordered = [...sorted.filter(first), ...lines, ...sorted.filter((line) => !first(line))];
  return ordered.map((line) => `${line}\n`).join('');
}

const REMOVALS = ['delete element', 'flush chain', 'delete chain', 'delete counter', 'delete table'];

/** The commands that remove a thing. Sets, maps and base chains are removed with the table only. */
function removal(id: string): readonly string[] {
  if (id === 'table') return [`delete table ${TABLE}`];
  return id.startsWith('chain ') ? [`flush ${named(id)}`, `delete ${named(id)}`] : [`delete ${named(id)}`];
}

/** Sets and maps, with `typeof` where nft has no name for the type. Every map leads to a chain of a group. */
const COLLECTIONS: readonly (readonly [id: string, type: string])[] = [
  ['set classes', 'typeof meta cgroup'],
  ['set marks', 'type mark'],
  ['set candidates', 'type mark'],
  ['set usual', 'typeof meta nfproto . oifname . ct mark'],
  ['set lan4', 'type ifname . ipv4_addr; flags interval'],
  ['set lan6', 'type ifname . ipv6_addr; flags interval'],
  ['map zone_of_class', 'typeof meta cgroup : verdict'],
  ['map refuse_of_class', 'typeof meta cgroup : verdict'],
  ['map new_of_class', 'typeof meta cgroup : verdict'],
  ['map guard_of_class', 'typeof meta cgroup : verdict'],
  ['map receive_of_class', 'typeof meta cgroup : verdict'],
  ['map clamp_of_mark', 'type mark : verdict'],
  ['map source_of_mark', 'type mark : verdict'],
  ['map set_of_mark', 'type mark : verdict'],
  ['map set_of_candidate', 'type mark : verdict'],
  ['map guard_of_candidate', 'type mark : verdict'],
  ['map guard_of_mark', 'type mark : verdict'],
  ['map guard_of_usual', 'typeof meta nfproto . ct mark : verdict'],
  ['map arrival_of_device', 'typeof meta nfproto . iifname : verdict'],
  ['map arrival_of_router', 'typeof meta nfproto . iifname . ether saddr : verdict'],
  ['map answer_of_candidate', 'typeof meta nfproto . ct mark . meta cgroup : verdict'],
];

/** True if a set or map has one of our names. */
export const isCollection = (id: string): boolean => COLLECTIONS.some(([known]) => known === id);

/** `chain x` -> `chain inet via x`. */
const named = (id: string): string => id.replace(' ', ` ${TABLE} `);

function thing(id: string, scope: Scope, fixed: boolean, state: string, add: () => readonly string[]): FirewallThing {
  return { kind: 'firewall', by: 'nft', id, scope, state, fixed, add };
}

/** The owner of a chain: the table, with or without a hook, or a group. */
interface Belonging {
  readonly scope?: Scope;
  readonly hook?: string;
  readonly owner?: string;
}

/** `hook` is type, hook and priority. */
function chain(name: string, rules: readonly Rule[], of: Belonging = {}): FirewallThing {
  const { scope = 'namespace', hook = '', owner } = of;
  const comments = commentsOf(rules, owner);
  return thing(`chain ${name}`, scope, hook !== '', chainState(hook, comments), () => {
    const [type, point, priority] = hook.split(' ');
    const declaration = point === undefined ? '' : ` { type ${type} hook ${point} priority ${priority}; }`;
    return [
      `add chain ${TABLE} ${name}${declaration}`,
      ...rules.map(({ text }, i) => `add rule ${TABLE} ${name} ${text} comment "${comments[i]}"`),
    ];
  });
}

const counter = (name: string): FirewallThing =>
  thing(`counter ${name}`, 'group', false, '', () => [`add counter ${TABLE} ${name}`]);

/** The id of an element: its set, and its key as nft takes it. Names of devices are quoted. */
export function elementId(of: string, key: readonly (string | number)[]): string {
  const device = of.startsWith('lan') ? 0 : of.startsWith('arrival') || of === 'usual' ? 1 : -1;
  let text = '';
  for (let i = 0; i < key.length; i++) text += `${i === 0 ? '' : ' . '}${i === device ? `"${key[i]}"` : key[i]}`;
  return `element ${of} { ${text} }`;
}

function elementThing({ of, key, leadsTo = '', shared = false }: Element): FirewallThing {
  const id = elementId(of, key);
  const verdict = leadsTo === '' ? '' : ` : goto ${leadsTo}`;
  const add = () => [`add ${named(id).slice(0, -2)}${verdict} }`];
  return thing(id, shared ? 'namespace' : 'group', false, leadsTo, add);
}

const unique = (list: readonly FirewallThing[]): FirewallThing[] => [
  ...new Map(list.map((one) => [one.id, one])).values(),
];
