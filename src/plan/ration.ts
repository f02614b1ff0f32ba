import { hash } from './numbers.js';
import type { Change, Firewall, FirewallThing, Thing } from './things.js';

/** When what somebody had taken away was made again, in seconds; by what it was. */
export type Mends = Readonly<Record<string, readonly number[]>>;

/** What is made now of the changes that are wished for, and what is left for now. */
export interface Ration {
  readonly changes: readonly Change[];
  /** Somebody insists: it was made again so often that it is left as it is. */
  readonly left: readonly Thing[];
  /** With these changes. */
  readonly mends: Mends;
  /** The moment from which what is left may be made again. */
  readonly until?: number;
}

/** So often within so many seconds one thing is made again. */
export const LIMIT = 5;
export const WINDOW = 60;

/**
 * Leaves out what was made again too often already: who takes it away would go on, and so would we. The group that needs
 * it is closed meanwhile, which the guard sees to. Where something else is wanted than the last time (`anew`), as when a
 * device names another router, nobody has taken anything away, and what is made does not count. `others` are the firewalls
 * with rules of another version of via: replacing those counts by itself.
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

/** What of a change counts: that something is there again which nobody but another tool takes away. */
function nameOf({ do: what, thing }: Change): string | undefined {
  if (what === 'remove' || (thing.kind === 'firewall' && !isLasting(thing))) return undefined;
  return groupingOf(thing);
}

/** Of the firewall's, what does not change with the state of a path, nor with the networks that there are. */
const isLasting = ({ by, id, scope }: FirewallThing): boolean =>
  by === 'nft' ? scope === 'namespace' && /^(table|chain )/.test(id) : / jump \d+$/.test(id);

/** What of these things can count, as one short text: equal where the same is wanted. */
export const wantsOf = (things: readonly Thing[]): string =>
  hash(
    things
      .filter((thing) => nameOf({ do: 'add', thing }) !== undefined)
      .map(({ id, state }) => `${id} ${state}`)
      .sort()
      .join('\n'),
  ).toString(36);

/** The kernel itself takes routes away with their device, but neither rules nor what has no device. */
function groupingOf(thing: Thing): string | undefined {
  if (thing.kind === 'firewall') return thing.by;
  if (thing.kind === 'rule' || (thing.kind === 'route' && thing.words.startsWith('unreachable'))) return thing.id;
  return undefined;
}
