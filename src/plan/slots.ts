import { ViaError } from '../failure.js';
import { classIdOf, hash, markOf, MASK, preferenceOf, SALTS, SLOTS, tableOf } from './numbers.js';

/** The numbers that other groups and other tools use. */
export interface Taken {
  /** Slots of groups in this network namespace. */
  readonly slots: ReadonlySet<number>;
  readonly preferences: ReadonlySet<number>;
  readonly tables: ReadonlySet<number>;
  /** The marks of other tools' rules, with their masks. */
  readonly marks: readonly { readonly value: number; readonly mask: number }[];
  /** Class ids of the whole machine. */
  readonly classIds: ReadonlySet<number>;
}

/**
 * A free slot for a way out, and a free class id for it. The search starts at a hash of the way out, so that a way out
 * usually gets the same slot again. Slots ahead of other tools' rules are tried first. Throws if all slots are taken.
 */
export function chooseSlot(key: string, taken: Taken): { slot: number; classId: number } {
  const first = hash(key) % SLOTS;
  const all = Array.from({ length: SLOTS }, (_, i) => 1 + ((first + i) % SLOTS));
  // The kernel puts a rule without a preference ahead of the lowest one (fib_default_rule_pref). A VPN that started
  // while a group was in use would otherwise divert the packets of later groups.
  const others = [...taken.preferences].filter((preference) => preference > preferenceOf(1));
  const lowest = Math.min(...others);
  const isAhead = (slot: number): boolean => preferenceOf(slot) < lowest;
  for (const slot of [...all.filter(isAhead), ...all.filter((slot) => !isAhead(slot))]) {
    if (!isFree(slot, taken)) continue;
    const salt = Array.from({ length: SALTS }, (_, n) => n).find((n) => !taken.classIds.has(classIdOf(slot, n)));
    if (salt !== undefined) return { slot, classId: classIdOf(slot, salt) };
  }
  throw new ViaError('group', '', `all ${SLOTS} slots are taken`, {
    hint: 'each way out in use takes one, and so does a mark, table or preference of another tool',
  });
}

function isFree(slot: number, { slots, preferences, tables, marks }: Taken): boolean {
  if (slots.has(slot) || preferences.has(preferenceOf(slot)) || tables.has(tableOf(slot))) return false;
  return !marks.some(({ value, mask }) => {
    const common = (mask & MASK) >>> 0;
    return common !== 0 && ((value ^ markOf(slot)) & common) === 0;
  });
}
