/** The bits of a packet mark and of a connection mark that are ours: the top byte. Everybody else's stay as they are. */
export const MASK = 0xff000000;

/** The bits that are not ours. */
export const OTHER_BITS = 0x00ffffff;

/** Groups that one network namespace can have: seven bits of the mark's byte; the eighth tells candidates apart. */
export const SLOTS = 127;

/** The `protocol` number that tags our routes and rules; free in iproute2's rt_protos. */
export const PROTOCOL = 118;

/** The mark of a slot's packets and connections. */
export const markOf = (slot: number): number => (slot << 24) >>> 0;

/** The connection mark of a connection that came in by a slot's path and was not (yet) answered by a member. */
export const candidateOf = (slot: number): number => ((slot | 0x80) << 24) >>> 0;

/** The connection mark of a flow that came in by no group's path while there was one, and that nobody answered yet. */
export const VISITOR = candidateOf(0);

/** The routing table of a slot. */
export const tableOf = (slot: number): number => 7000 + slot;

/** The preference of a slot's policy rule: below 500 stays free for whoever must come first, VPN tools come later. */
export const preferenceOf = (slot: number): number => 500 + slot;

/**
 * Where our rules move to when somebody's rule is ahead of them; all may have the same. Who adds one without a preference
 * comes ahead of all there are (fib_default_rule_pref), so there are few steps, and none near 0, where the next ones would
 * stay ahead for good.
 */
export const STEPS = [400, 300, 200, 100, 50, 20, 10] as const;

/** The packet mark of what finds no way where main leads nowhere, for it is no member's; no slot's. */
export const NOWHERE = candidateOf(0);

/** Where a first look-up is answered for which main has no route: after main (32766) and default (32767). */
export const FALLBACK_TABLE = tableOf(SLOTS + 1);
export const FALLBACK_PREFERENCE = 32800;

/** Just before it: what is not to take it. */
export const NOWHERE_PREFERENCE = FALLBACK_PREFERENCE - 1;

/** How many class ids there are for one slot: cgroups know no network namespaces, so each namespace needs another. */
export const SALTS = 512;

const CLASS_MAJOR = 0x76690000;

/** The class id of a slot; `salt` (0 to 511) keeps the same slot of two network namespaces apart. */
export const classIdOf = (slot: number, salt: number): number => CLASS_MAJOR + salt * 128 + slot;

/** The slot of a class id of ours; undefined where it is not ours. */
export function slotOfClassId(classId: number): number | undefined {
  const slot = classId & 0x7f;
  return (classId & 0xffff0000) >>> 0 === CLASS_MAJOR && slot > 0 ? slot : undefined;
}

/** FNV-1a, 32 bits, of a text's UTF-16 units (parameters: draft-eastlake-fnv). Core crypto costs 4 ms to load. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/**
 * The connection tracking zone of a way out (1 to 65535), for the original direction of what is not TCP.
 * It follows from the way out and not from the slot: an entry that conntrack still knows then belongs to this way out.
 */
export const zoneOf = (key: string): number => 1 + (hash(key) % 65535);

/** A mark as one would type it. */
export const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
