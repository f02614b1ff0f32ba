import test from 'ava';
import fc from 'fast-check';
import { LIMIT, ration, wantsOf, WINDOW, type Mends } from '../../src/plan/ration.js';
import { routeThing, ruleThing } from '../../src/plan/routing.js';
import type { Change, Thing } from '../../src/plan/things.js';

const rule = ruleThing(4, { preference: 512, from: 'lo', mark: 0x0c000000, table: 7012 });
const way = routeThing(4, { reachable: true, destination: 'default', device: 'c2', table: 7012 });
const end = routeThing(4, { reachable: false, destination: 'default', table: 7012 });
const piece = (id: string): Thing => ({
  kind: 'firewall',
  by: 'nft',
  id,
  scope: 'namespace',
  state: '',
  fixed: false,
  add: () => [],
});
const add = (thing: Thing): Change => ({ do: 'add', thing });

/** Asks for the same changes at these moments; gives how many were made at each. */
function made(changes: readonly Change[], moments: readonly number[]): number[] {
  let mends: Mends = {};
  return moments.map((now) => {
    const one = ration(changes, mends, now);
    mends = one.mends;
    return one.changes.length;
  });
}

for (const [what, thing] of Object.entries({ 'a rule': rule, 'the end of a table': end, 'a chain': piece('chain x') }))
  test(`${what} is made again five times within a minute, and then again`, (t) => {
    t.deepEqual(made([add(thing)], [0, 1, 2, 3, 4, 5, 59, 60, 60.5, 61]), [1, 1, 1, 1, 1, 0, 0, 1, 0, 1]);
  });

test('what the kernel itself takes away is made again always', (t) => {
  const often = Array.from({ length: 50 }, (_, i) => i / 10);
  t.true(made([add(way)], often).every((count) => count === 1));
  t.true(made([add(piece('element lan4 { "c1" . 10.0.1.0/24 }'))], often).every((count) => count === 1));
});

test('what goes is taken away always, and what a group of a closed one needs is made', (t) => {
  const mends = { [rule.id]: [1, 1, 1, 1, 1] };
  const { changes, left, until } = ration([add(rule), { do: 'remove', thing: rule }, add(way)], mends, 2);
  t.deepEqual([changes.map(({ do: what }) => what), left], [['add'], [rule, rule]]);
  t.is(until, 61);
});

test('of a firewall all is left together: half of a transaction could not be made', (t) => {
  const pieces = [
    add(piece('chain a')),
    add(piece('element s { 1 }')),
    { do: 'mend', thing: piece('chain b') } as const,
  ];
  t.deepEqual(made(pieces, [0, 0, 0, 0, 0, 0]), [3, 3, 3, 3, 3, 0]);
});

test('never more than the limit within any minute, whatever the clock says', (t) => {
  const times = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 60 });
  const holds = (moments: readonly number[]): boolean => {
    const sorted = [...moments].sort((a, b) => a - b);
    const counts = made([add(rule)], sorted);
    const met = sorted.filter((_, i) => counts[i] === 1);
    return met.every((time) => met.filter((one) => one > time - WINDOW && one <= time).length <= LIMIT);
  };
  t.notThrows(() => fc.assert(fc.property(times, holds)));
});

test('what is made because something else is wanted does not count, and what is wanted is told apart by that', (t) => {
  const chain = (state: string): Thing => ({ ...piece('chain x'), state });
  let mends: Mends = {};
  for (let now = 0; now < 20; now++)
    mends = ration([{ do: 'mend', thing: chain('a') }], mends, now, { anew: true }).mends;
  t.deepEqual(mends, {});
  t.not(wantsOf([chain('a'), rule]), wantsOf([chain('b'), rule]));
  t.is(wantsOf([chain('a'), rule]), wantsOf([rule, way, chain('a')]));
});
