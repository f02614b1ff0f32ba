import test from 'ava';
import fc from 'fast-check';
import { isViaError } from '../../src/failure.js';
import { classIdOf, markOf, preferenceOf, SALTS, SLOTS, tableOf } from '../../src/plan/numbers.js';
import { chooseSlot, type Taken } from '../../src/plan/slots.js';

const nothing: Taken = {
  slots: new Set(),
  preferences: new Set(),
  tables: new Set(),
  marks: [],
  classIds: new Set(),
};
const all = Array.from({ length: SLOTS }, (_, i) => i + 1);
const some = fc.uniqueArray(fc.constantFrom(...all), { maxLength: SLOTS - 1 });

/** Whether all slots are taken, as the error says. */
function isFull(taken: Taken): boolean {
  try {
    chooseSlot('one more', taken);
    return false;
  } catch (error) {
    return isViaError(error) && /all 127 slots are taken/.test(error.message);
  }
}

test('a slot follows from the way out, where it is free', (t) => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      const { slot, classId } = chooseSlot(key, nothing);
      t.true(slot >= 1 && slot <= SLOTS);
      t.is(classId, classIdOf(slot, 0));
      t.deepEqual(chooseSlot(key, nothing), { slot, classId });
    }),
  );
});

/** Each way to use the number of a slot. */
const uses: Record<string, (slots: number[]) => Partial<Taken>> = {
  'a group': (slots) => ({ slots: new Set(slots) }),
  'a preference': (slots) => ({ preferences: new Set(slots.map(preferenceOf)) }),
  'a table': (slots) => ({ tables: new Set(slots.map(tableOf)) }),
  'a mark': (slots) => ({ marks: slots.map((slot) => ({ value: markOf(slot), mask: 0xff000000 })) }),
  'a mark with all its bits': (slots) => ({
    marks: slots.map((slot) => ({ value: markOf(slot) + 7, mask: 0xffffffff })),
  }),
  'all class ids of a slot': (slots) => ({
    classIds: new Set(slots.flatMap((slot) => Array.from({ length: SALTS }, (_, salt) => classIdOf(slot, salt)))),
  }),
};

for (const [name, use] of Object.entries(uses)) {
  test(`${name} that is used is skipped, and when all are there is an error`, (t) => {
    fc.assert(
      fc.property(fc.string(), some, (key, used) => {
        t.false(used.includes(chooseSlot(key, { ...nothing, ...use(used) }).slot));
      }),
      { numRuns: 20 },
    );
    t.true(isFull({ ...nothing, ...use(all) }));
  });
}

test('only bits of ours count', (t) => {
  const { slot } = chooseSlot('x', nothing);
  const marks = [
    { value: 0x6d6f6c, mask: 0xffffff },
    { value: 0, mask: 0xff000000 },
    { value: 0x80000000, mask: 0x80000000 },
  ];
  t.is(chooseSlot('x', { ...nothing, marks }).slot, slot);
  // One bit that the slot's mark has too: that rule would match its packets.
  const bit = (markOf(slot) & -markOf(slot)) >>> 0;
  const other = chooseSlot('x', { ...nothing, marks: [{ value: bit, mask: bit }] }).slot;
  t.is(markOf(other) & bit, 0);
});

test("a slot ahead of somebody's rule comes first, where there is one", (t) => {
  const ahead = (...preferences: number[]) =>
    fc.sample(fc.string(), 50).map((key) => chooseSlot(key, { ...nothing, preferences: new Set(preferences) }).slot);
  t.true(ahead(0, 510, 509, 32766).every((slot) => preferenceOf(slot) < 509));
  // Who is ahead of all slots, or behind them, makes no difference.
  t.true(ahead(0, 100, 500, 32766).some((slot) => preferenceOf(slot) > 509));
  const crowd = Array.from({ length: 8 }, (_, i) => 501 + i);
  t.true(ahead(...crowd).every((slot) => preferenceOf(slot) > 508));
});

test('127 groups have 127 slots, and the next has none', (t) => {
  const used = new Set<number>();
  for (let i = 0; i < SLOTS; i++) used.add(chooseSlot(`way ${i}`, { ...nothing, slots: used }).slot);
  t.is(used.size, SLOTS);
  t.true(isFull({ ...nothing, slots: used }));
});

test('the same slot of two network namespaces has two class ids', (t) => {
  const first = chooseSlot('x', nothing);
  const second = chooseSlot('x', { ...nothing, classIds: new Set([first.classId]) });
  t.is(second.slot, first.slot);
  t.not(second.classId, first.classId);
});
