import test from 'ava';
import fc from 'fast-check';
import { nftables } from '../../src/plan/marking/nftables/nftables.js';
import { plan } from '../../src/plan/plan.js';
import type { Change, Thing } from '../../src/plan/things.js';
import { wanted } from '../../src/plan/wanted.js';
import { facts, groups } from '../helpers/arbitrary.js';

/** What is there after the changes, as the kernel would have it: with a table goes all that is in it. */
function applied(changes: readonly Change[], seen: readonly Thing[]): Map<string, Thing> {
  const there = new Map(seen.map((thing) => [thing.id, thing]));
  for (const { do: what, thing } of changes) {
    if ((what === 'add') === there.has(thing.id)) throw new Error(`${what} of ${thing.id}, which is there or is not`);
    if (what === 'add' || what === 'mend') there.set(thing.id, thing);
    else if (thing.id !== 'table') there.delete(thing.id);
    else for (const { id, kind } of there.values()) if (kind === 'firewall') there.delete(id);
  }
  return there;
}

const states = (things: Iterable<Thing>) => [...things].map(({ id, state }) => `${id} = ${state}`).sort();

const things = fc.tuple(groups, facts).map(([list, known]) => {
  const records = new Map(list.map(({ uuid }) => [uuid, `${uuid}\n`]));
  return wanted(list, { ...known, records }, nftables);
});

/** Of what was wanted somebody has taken away some, and changed some. */
const damaged = fc
  .tuple(things, fc.array(fc.nat(9), { minLength: 300, maxLength: 300 }))
  .map(([list, dice]) =>
    list.flatMap((thing, i) => {
      const value = dice[i % dice.length];
      if (value === 0) return [];
      return [value === 1 ? { ...thing, state: `${thing.state} changed` } : thing];
    }),
  )
  // With a table goes what is in it.
  .map((list) => (list.some(({ id }) => id === 'table') ? list : list.filter(({ kind }) => kind !== 'firewall')));

test('no two things that are wanted have the same id', (t) => {
  fc.assert(fc.property(things, (list) => t.is(new Set(list.map(({ id }) => id)).size, list.length)));
});

test('the changes make what is seen into what is wanted, and then there are none', (t) => {
  fc.assert(
    fc.property(fc.oneof(things, damaged), things, (seen, list) => {
      const there = applied(plan(list, seen), seen);
      t.deepEqual(states(there.values()), states(list));
      t.deepEqual(plan(list, [...there.values()]), []);
    }),
    { numRuns: 300 },
  );
});

test('what is as it is wanted is not touched, unless its table is', (t) => {
  fc.assert(
    fc.property(damaged, things, (seen, list) => {
      const changes = plan(list, seen);
      const touched = new Set(changes.map(({ thing }) => thing.id));
      const anew = changes.some(({ thing }) => thing.id === 'table');
      for (const { id, kind, state } of list) {
        const same = seen.some((thing) => thing.id === id && thing.state === state);
        if (same && !(anew && kind === 'firewall')) t.false(touched.has(id), id);
      }
    }),
  );
});

test('a member never exists without its rules: a group is made last, and goes before what it needs', (t) => {
  fc.assert(
    fc.property(things, things, (seen, list) => {
      const steps = plan(list, seen).map(
        ({ do: what, thing }) => `${what === 'remove' ? 'remove' : 'make'} ${thing.kind}`,
      );
      const before = (one: string, other: string) =>
        t.false(
          steps.includes(one) && steps.includes(other) && steps.lastIndexOf(one) > steps.indexOf(other),
          steps.join(),
        );
      for (const kind of ['mount', 'route', 'rule', 'firewall', 'sysctl', 'record'])
        before(`make ${kind}`, 'make cgroup');
      for (const kind of ['route', 'rule', 'firewall', 'sysctl', 'mount']) before('remove cgroup', `remove ${kind}`);
      for (const kind of ['route', 'rule', 'firewall', 'sysctl', 'record', 'cgroup', 'mount'])
        before(`remove ${kind}`, 'remove directory');
    }),
  );
});

test('nothing is left for no group', (t) => {
  fc.assert(
    fc.property(things, facts, (seen, known) => {
      const there = applied(plan(wanted([], { ...known, elsewhere: false }, nftables), seen), seen);
      t.deepEqual([...there.keys()], []);
    }),
  );
});
