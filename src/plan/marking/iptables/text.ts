import { candidateOf, hex, markOf, MASK, VISITOR } from '../../numbers.js';
import type { Rule } from '../rules.js';

/** The tables that via has chains in, in the order in which a packet meets them. */
export const TABLES = ['raw', 'mangle', 'nat', 'filter'] as const;
export type Table = (typeof TABLES)[number];

/** A chain of ours: its table, its name, its rules. */
export interface Chain {
  readonly table: Table;
  readonly name: string;
  readonly rules: readonly Rule[];
  /** The group whose chain it is; none where it has a line for each. */
  readonly owner?: string;
}

/** A chain's name that is one of ours. */
export const isOurName = (name: string): boolean =>
  /^via-((raw|pre|rpf|in|receive|fwd|out|new|reused|answered|guard|class|nat|rej|stray)|(new|guard|sent|receive|srv|nat|rej)-\d+)$/.test(
    name,
  );

/** A value of our bits of a mark, as the extensions take it. */
export const bits = (value: number): string => `${hex(value)}/${hex(MASK)}`;

/** A connection's mark of a slot, ours or a candidate's. */
export const ours = (slot: number): string => `-m connmark --mark ${bits(markOf(slot))}`;
export const candidate = (slot: number): string => `-m connmark --mark ${bits(candidateOf(slot))}`;

/** A connection that has no bits of ours, or of anybody's who uses the same. */
export const UNKNOWN = `-m connmark --mark ${bits(0)}`;

/** A connection that has no bits of anybody's: who keeps marks of his own takes one that has any for one that he knows. */
export const UNMARKED = '-m connmark --mark 0';

/** The answer to a SYN, which has no class for xt_cgroup. */
export const SYN_ACK = '-p tcp --tcp-flags SYN,ACK SYN,ACK';

/** Sets our bits of a packet's mark and leaves all others (iptables-extensions(8), MARK); those of a slot. */
export const setPacket = (value: number): string => `-j MARK --set-xmark ${bits(value)}`;
export const setMark = (slot: number): string => setPacket(markOf(slot));

/** Sets our bits of a connection's mark. */
export const setConnection = (value: number): string => `-j CONNMARK --set-xmark ${bits(value)}`;

/** A flow that came in by no group's path, and that nobody answered yet. */
export const VISITING = `-m connmark --mark ${bits(VISITOR)}`;

/** Sent by a process, or by the kernel of itself: its own sockets have no file, and so no owner (xt_owner). */
export const OF_A_PROCESS = '-m owner --uid-owner 0-4294967294';
export const OF_THE_KERNEL = '-m owner ! --uid-owner 0-4294967294';

/** A socket's class; in decimal, as xt_cgroup prints it. */
export const ofClass = (classId: number): string => `-m cgroup --cgroup ${classId}`;

/** A name that a chain of another version of via may have. */
export const mayBeOurName = (name: string): boolean => /^via-[a-z]+(-\d+)?$/.test(name);

/** A socket that has a class: nobody else's packets walk the list behind it. */
export const ANY_CLASS = '-m cgroup ! --cgroup 0';

/** A socket that has no class. Packets without a socket do not match either (xt_cgroup). */
export const NO_CLASS = '-m cgroup --cgroup 0';
