import { candidateOf, hex, markOf, MASK, VISITOR } from '../../numbers.js';
import type { Rule } from '../rules.js';

/** The tables that via has chains in, in the order in which a packet meets them. */
export const TABLES = ['raw', 'mangle', 'nat', 'filter'] as const;
export type Table = (typeof TABLES)[number];

/** A chain of ours: its table, name and rules. */
export interface Chain {
  readonly table: Table;
  readonly name: string;
  readonly rules: readonly Rule[];
  /** The `ownerOf` its group; undefined for a chain that all groups share. */
  readonly owner?: string;
}

/** True for the name of a chain of ours. */
export const isOurName = (name: string): boolean =>
  /^via-((raw|pre|rpf|in|receive|fwd|out|new|reused|answered|guard|class|nat|rej|stray)|(new|guard|sent|receive|srv|nat|rej)-\d+)$/.test(
    name,
  );

/** A value of our mark bits with the mask, as the extensions take it. */
export const bits = (value: number): string => `${hex(value)}/${hex(MASK)}`;

/** Matches the connection mark of a slot: of its own connections, or of its candidates. */
export const ours = (slot: number): string => `-m connmark --mark ${bits(markOf(slot))}`;
export const candidate = (slot: number): string => `-m connmark --mark ${bits(candidateOf(slot))}`;

/** Matches a connection without any of our mark bits. */
export const UNKNOWN = `-m connmark --mark ${bits(0)}`;

/** Matches a connection without any mark. A tool that uses connection marks takes a marked connection for a known one. */
export const UNMARKED = '-m connmark --mark 0';

/** Matches a SYN-ACK, for which xt_cgroup sees no class. */
export const SYN_ACK = '-p tcp --tcp-flags SYN,ACK SYN,ACK';

/** Sets our bits of the packet mark; other bits stay (iptables-extensions(8), MARK). */
export const setPacket = (value: number): string => `-j MARK --set-xmark ${bits(value)}`;
export const setMark = (slot: number): string => setPacket(markOf(slot));

/** Sets our bits of the connection mark; other bits stay. */
export const setConnection = (value: number): string => `-j CONNMARK --set-xmark ${bits(value)}`;

/** Matches a flow that arrived by no group's path and that no member has answered yet. */
export const VISITING = `-m connmark --mark ${bits(VISITOR)}`;

/** Matches packets of processes, or of the kernel itself, whose sockets have no file and so no owner (xt_owner). */
export const OF_A_PROCESS = '-m owner --uid-owner 0-4294967294';
export const OF_THE_KERNEL = '-m owner ! --uid-owner 0-4294967294';

/** Matches a socket's class, in decimal as xt_cgroup prints it. */
export const ofClass = (classId: number): string => `-m cgroup --cgroup ${classId}`;

/** A name that a chain of another version of via may have. */
export const mayBeOurName = (name: string): boolean => /^via-[a-z]+(-\d+)?$/.test(name);

/** Matches a socket that has a class. Other packets skip the list behind it. */
export const ANY_CLASS = '-m cgroup ! --cgroup 0';

/** A socket that has no class. Packets without a socket do not match either (xt_cgroup). */
export const NO_CLASS = '-m cgroup --cgroup 0';

/** Matches connections of groups and their candidates. */
export const KNOWN = '-m connmark ! --mark 0x0/0x7f000000';
