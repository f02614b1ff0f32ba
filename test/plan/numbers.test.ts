import test from 'ava';
import fc from 'fast-check';
import * as numbers from '../../src/plan/numbers.js';

const slot = fc.integer({ min: 1, max: numbers.SLOTS });
const salt = fc.integer({ min: 0, max: numbers.SALTS - 1 });

test('marks and candidates of all slots differ, and have no bits but ours', (t) => {
  const slots = Array.from({ length: numbers.SLOTS }, (_, i) => i + 1);
  const marks = [...slots.map(numbers.markOf), ...slots.map(numbers.candidateOf)];
  t.is(new Set(marks).size, 2 * numbers.SLOTS);
  for (const mark of marks) {
    t.true(mark > 0);
    t.is((mark & numbers.OTHER_BITS) >>> 0, 0);
  }
  t.is((numbers.MASK | numbers.OTHER_BITS) >>> 0, 0xffffffff);
  t.is(numbers.MASK & numbers.OTHER_BITS, 0);
});

test('a slot and its class id', (t) => {
  fc.assert(fc.property(slot, salt, (n, s) => t.is(numbers.slotOfClassId(numbers.classIdOf(n, s)), n)));
  fc.assert(
    fc.property(slot, salt, slot, salt, (n, s, m, r) => {
      t.is(numbers.classIdOf(n, s) === numbers.classIdOf(m, r), n === m && s === r);
    }),
  );
  // Not ours: the class ids of others, and that of no group.
  for (const id of [0, 1, 0x100001, 0xffffffff, numbers.classIdOf(1, 0) - 1])
    t.is(numbers.slotOfClassId(id), undefined);
});

test('preferences and tables keep out of the way of others', (t) => {
  fc.assert(
    fc.property(slot, (n) => {
      t.true(numbers.preferenceOf(n) > 500 && numbers.preferenceOf(n) < 1000);
      t.true(numbers.tableOf(n) > 255);
    }),
  );
});

test("a zone is one of conntrack's, and not the one of everybody", (t) => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      const zone = numbers.zoneOf(key);
      t.true(Number.isInteger(zone) && zone >= 1 && zone <= 65535);
    }),
  );
});

test('FNV-1a, by its test vectors', (t) => {
  t.is(numbers.hash(''), 0x811c9dc5);
  t.is(numbers.hash('a'), 0xe40c292c);
  t.is(numbers.hash('foobar'), 0xbf9cf968);
});

test('the steps down leave room for who adds a rule without a preference, and none is near 0', (t) => {
  t.true(numbers.STEPS.every((step, i) => step < (numbers.STEPS[i - 1] ?? numbers.preferenceOf(1)) - 1));
  t.true(numbers.STEPS.every((step) => step >= 10));
});
