import { ViaError } from '../failure.js';
import { classIdOf, hash, markOf, MASK, preferenceOf, SALTS, SLOTS, tableOf } from './numbers.js';

/** What others use of the numbers a slot stands for. */
export interface Taken {
  /** Slots of groups in this network namespace. */
  readonly slots: ReadonlySet<number>;
  readonly preferences: ReadonlySet<number>;
  readonly tables: ReadonlySet<number>;
  /** Marks that somebody looks at, with the bits he looks at. */
  readonly marks: readonly { readonly value: number; readonly mask: number }[];
  /** Class ids of the whole machine. */
  readonly classIds: ReadonlySet<number>;
}

/**
 * A free slot for a way out and a free class id for it. The search starts at a hash of the way out: it then mostly has
 * the slot it had before. Slots ahead of everybody else's rules come first. Throws when all slots are taken.
 */
export function chooseSlot(key: string, taken: Taken): { slot: number; classId: number } {
  const first = hash(key) % SLOTS;
  const all = Array.from({ length: SLOTS }, (_, i) => 1 + ((first + i) % SLOTS));
  // A rule without a preference is put ahead of the lowest there is (fib_default_rule_pref), so that a VPN that came
  // up while a group was in use would take what is sent by later ones.
  const others = [...taken.preferences].filter((preference) => preference > preferenceOf(1));
  const lowest = Math.min(...others);
  const isAhead = (slot: number): boolean => preferenceOf(slot) < lowest;
  for (const slot of [...all.filter(isAhead), ...all.filter((slot) => !isAhead(slot))]) {
    if (!isFree(slot, taken)) continue;
    const salt = Array.from({ length: SALTS }, (_, n) => n).find((n) => !taken.classIds.has(classIdOf(slot, n)));
    if (salt !== undefined) return { slot, classId: classIdOf(slot, salt) };
  }
  throw new ViaError('group', '', `all ${SLOTS} slots are taken`, {
    hint: 'each way out in use takes one, and so does a mark, table or preference of somebody else',
  });
}

function isFree(slot: number, { slots, preferences, tables, marks }: Taken): boolean {
  if (slots.has(slot) || preferences.has(preferenceOf(slot)) || tables.has(tableOf(slot))) return false;
  return !marks.some(({ value, mask }) => {
    const common = (mask & MASK) >>> 0;
    return common !== 0 && ((value ^ markOf(slot)) & common) === 0;
  });
}
