import type { Change, Thing } from './things.js';

/**
 * The changes that turn the seen things into the wanted ones; none where they are equal. Removals come first, in the
 * reverse of the order in which things are made. Things that all groups of the machine share are removed last.
 */
export function plan(wanted: readonly Thing[], seen: readonly Thing[]): Change[] {
  const before = new Map(seen.map((thing) => [thing.id, thing]));
  const after = new Map(wanted.map((thing) => [thing.id, thing]));
  const anew = needsNewTable(after, seen);
  const removals = seen.filter((thing) => {
    if (isNft(thing) && (anew || !after.has('table'))) return thing.id === 'table';
    return !after.has(thing.id);
  });
  const additions = wanted.flatMap((thing): Change[] => {
    const old = anew && isNft(thing) ? undefined : before.get(thing.id);
    if (old === undefined) return [{ do: 'add', thing: anew ? counted(thing, before, after) : thing }];
    return old.state === thing.state ? [] : [{ do: 'mend', thing }];
  });
  const remove = (thing: Thing): Change => ({ do: 'remove', thing });
  const shared = ({ scope }: Thing): boolean => scope === 'machine';
  return [
    ...inOrder(removals.filter((thing) => !shared(thing)).map(remove)).reverse(),
    ...inOrder(additions),
    ...inOrder(removals.filter(shared).map(remove)).reverse(),
  ];
}

/** The order in which things are made. A group's rules exist before it can have a member. */
const ORDER: readonly Thing['kind'][] = [
  'directory',
  'mount',
  'builtin',
  'route',
  'rule',
  'firewall',
  'sysctl',
  'record',
  'cgroup',
  'keeper',
];

const inOrder = (changes: readonly Change[]): Change[] =>
  ORDER.flatMap((kind) => changes.filter(({ thing }) => thing.kind === kind));

/** If the whole table is replaced, a counter of the same group is made with the value that was seen. */
function counted(thing: Thing, before: ReadonlyMap<string, Thing>, after: ReadonlyMap<string, Thing>): Thing {
  const slot = /^counter \w+_(\d+)$/.exec(thing.id)?.[1];
  const seen = before.get(thing.id);
  if (slot === undefined || seen === undefined) return thing;
  // The group's name is the note of the last comment in its guard (marking/chains.ts).
  const nameIn = (things: ReadonlyMap<string, Thing>): string | undefined =>
    things.get(`chain guard_${slot}`)?.state.split('\n').at(-1)?.replace(/^\S+ /, '');
  const [old, now] = [nameIn(before), nameIn(after)];
  return old !== undefined && old === now ? seen : thing;
}

const isNft = (thing: Thing): boolean => thing.kind === 'firewall' && thing.by === 'nft';

/** Base chains, sets and maps cannot be changed in place: if one differs, the whole table is replaced. */
function needsNewTable(after: ReadonlyMap<string, Thing>, seen: readonly Thing[]): boolean {
  if (!after.has('table') || !seen.some(({ id }) => id === 'table')) return false;
  const fixed = (thing: Thing): boolean => thing.kind === 'firewall' && thing.by === 'nft' && thing.fixed;
  const states = new Map(seen.filter(fixed).map(({ id, state }) => [id, state]));
  const wantedFixed = [...after.values()].filter(fixed);
  return wantedFixed.length !== states.size || wantedFixed.some(({ id, state }) => states.get(id) !== state);
}
