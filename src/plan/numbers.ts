/** Our bits of packet marks and connection marks: the top byte. The bits of other tools stay unchanged. */
export const MASK = 0xff000000;

/** The bits that are not ours. */
export const OTHER_BITS = 0x00ffffff;

/** The most groups in one network namespace: seven bits of the mark's byte. The eighth bit marks candidates. */
export const SLOTS = 127;

/** The `protocol` number that tags our routes and rules; free in iproute2's rt_protos. */
export const PROTOCOL = 118;

/** The mark of a slot's packets and connections. */
export const markOf = (slot: number): number => (slot << 24) >>> 0;

/** The connection mark of a connection that arrived by a slot's path and that no member has answered yet. */
export const candidateOf = (slot: number): number => ((slot | 0x80) << 24) >>> 0;

/** The connection mark of a flow that came in by no group's path while there was one, and that nobody answered yet. */
export const VISITOR = candidateOf(0);

/** The number of a slot's routing table. */
export const tableOf = (slot: number): number => 7000 + slot;

/** The preference of a slot's policy rule. Those below 500 stay free for other tools; VPN tools use higher ones. */
export const preferenceOf = (slot: number): number => 500 + slot;

/**
 * The preferences that our rules move to when another tool's rule is ahead of them. Several rules may share one. The
 * kernel puts a rule without a preference ahead of all others (fib_default_rule_pref), so each move costs one step. None
 * is near 0, because rules that are added at 0 stay ahead forever.
 */
export const STEPS = [400, 300, 200, 100, 50, 20, 10] as const;

/** The packet mark of what finds no way where main leads nowhere, for it is no member's; no slot's. */
export const NOWHERE = candidateOf(0);

/** The table and rule that answer a first look-up if main has no route: after main (32766) and default (32767). */
export const FALLBACK_TABLE = tableOf(SLOTS + 1);
export const FALLBACK_PREFERENCE = 32800;

/** The rule before it, which stops the packets that must not use that table. */
export const NOWHERE_PREFERENCE = FALLBACK_PREFERENCE - 1;

/** The number of class ids for one slot. cgroups are not per network namespace, so each namespace needs its own. */
export const SALTS = 512;

const CLASS_MAJOR = 0x76690000;

/** The class id of a slot. `salt` (0 to 511) makes the same slot of two network namespaces differ. */
export const classIdOf = (slot: number, salt: number): number => CLASS_MAJOR + salt * 128 + slot;

/** The slot of a class id; undefined where the class id is not ours. */
export function slotOfClassId(classId: number): number | undefined {
  const slot = classId & 0x7f;
  return (classId & 0xffff0000) >>> 0 === CLASS_MAJOR && slot > 0 ? slot : undefined;
}

/** 32-bit FNV-1a of a text's UTF-16 units (draft-eastlake-fnv). The crypto module would take 4 ms to load. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/**
 * The connection tracking zone of a way out (1 to 65535), for the original direction of everything but TCP. It is a hash
 * of the way out and not of the slot, so that an old conntrack entry can only belong to the same way out.
 */
export const zoneOf = (key: string): number => 1 + (hash(key) % 65535);

/** A mark in hexadecimal, with eight digits. */
export const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
