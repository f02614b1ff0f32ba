import { hash } from './numbers.js';
import type { Change, Firewall, FirewallThing, Thing } from './things.js';

/** The times of repairs in seconds since the epoch, by the thing that was made again. */
export type Mends = Readonly<Record<string, readonly number[]>>;

/** The changes to make now, and the things to leave for now. */
export interface Ration {
  readonly changes: readonly Change[];
  /** Things that were made again too often, because another tool removes them again and again. */
  readonly left: readonly Thing[];
  /** The times of repairs, with these changes. */
  readonly mends: Mends;
  /** The time from which the left things may be made again, in seconds since the epoch. */
  readonly until?: number;
}

/** One thing is made again at most LIMIT times in WINDOW seconds. */
export const LIMIT = 5;
export const WINDOW = 60;

/**
 * Limits repairs: a thing that another tool removes again and again is left, and the guard keeps its group closed. With
 * `anew` other things are wanted than the last time, for example because a device has another router; then no tool has
 * removed anything, and the changes do not count. `others` are the firewalls with rules of another version of via;
 * replacing those is counted separately.
 */
export function ration(
  wished: readonly Change[],
  before: Mends,
  now: number,
  { anew = false, others = new Set() }: { readonly anew?: boolean; readonly others?: ReadonlySet<Firewall> } = {},
): Ration {
  const naming = (name: string | undefined): string[] => {
    if (name === undefined) return [];
    return [others.has(name as Firewall) ? `${name} of another version` : name];
  };
  const recent = new Map(
    Object.entries(before).map(([name, times]) => [name, times.filter((time) => time > now - WINDOW && time <= now)]),
  );
  const names = new Set(wished.flatMap((change) => naming(nameOf(change))));
  const refused = new Set([...names].filter((name) => (recent.get(name)?.length ?? 0) >= LIMIT));
  for (const name of anew ? [] : names) if (!refused.has(name)) recent.set(name, [...(recent.get(name) ?? []), now]);
  const isLeft = ({ thing }: Change): boolean => naming(groupingOf(thing)).some((name) => refused.has(name));
  const ends = [...refused].map((name) => Math.min(...(recent.get(name) ?? [])) + WINDOW);
  return {
    changes: wished.filter((change) => !isLeft(change)),
    left: wished.filter(isLeft).map(({ thing }) => thing),
    mends: Object.fromEntries([...recent].filter(([, times]) => times.length > 0)),
    ...(ends.length === 0 ? {} : { until: Math.min(...ends) }),
  };
}

/** The name that a change counts under. Only things that another tool must have removed count. */
function nameOf({ do: what, thing }: Change): string | undefined {
  if (what === 'remove' || (thing.kind === 'firewall' && !isLasting(thing))) return undefined;
  return groupingOf(thing);
}

/** True for firewall things that depend neither on the state of a path nor on the connected networks. */
const isLasting = ({ by, id, scope }: FirewallThing): boolean =>
  by === 'nft' ? scope === 'namespace' && /^(table|chain )/.test(id) : / jump \d+$/.test(id);

/** A short text for the things that can count. It is equal if the same things are wanted. */
export const wantsOf = (things: readonly Thing[]): string =>
  hash(
    things
      .filter((thing) => nameOf({ do: 'add', thing }) !== undefined)
      .map(({ id, state }) => `${id} ${state}`)
      .sort()
      .join('\n'),
  ).toString(36);

/** The kernel removes routes with their device, but neither rules nor routes without a device. */
function groupingOf(thing: Thing): string | undefined {
  if (thing.kind === 'firewall') return thing.by;
  if (thing.kind === 'rule' || (thing.kind === 'route' && thing.words.startsWith('unreachable'))) return thing.id;
  return undefined;
}
