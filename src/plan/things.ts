import type { Family } from './family.js';

/** The users of a thing: one group, all groups of the network namespace, or all groups of the machine. */
export type Scope = 'group' | 'namespace' | 'machine';

interface Base {
  /** Equal ids are the same thing, wanted and seen. */
  readonly id: string;
  readonly scope: Scope;
  /** The part that may differ between two things with the same id; a difference is mended. */
  readonly state: string;
}

/** The firewall that marks a group's packets: nftables, or one of the two variants of iptables. */
export type Firewall = 'nft' | 'iptables-nft' | 'iptables-legacy';

/** A part of our firewall rules. Its lines are commands of one transaction of that firewall. */
export interface FirewallThing extends Base {
  readonly kind: 'firewall';
  readonly by: Firewall;
  /** The commands that make it. A function, because most launches find everything in place. */
  readonly add: () => readonly string[];
  /** The commands that remove it, if they do not follow from its id. */
  readonly remove?: () => readonly string[];
  /** True if a change needs the whole table to be replaced: the table itself, base chains, maps. */
  readonly fixed: boolean;
}

/** A route or a policy rule, as the words that follow `ip route add` or `ip rule add`. */
export interface RoutingThing extends Base {
  readonly kind: 'route' | 'rule';
  readonly family: Family;
  readonly words: string;
}

/** A device's src_valid_mark, with the value to restore. */
export interface SysctlThing extends Base {
  readonly kind: 'sysctl';
  readonly device: string;
  readonly old: string;
  /** The file with the old value. */
  readonly record: string;
}

/** Our directory under /run, with the lock in it. */
export interface DirectoryThing extends Base {
  readonly kind: 'directory';
  readonly path: string;
}

/** Our own mount of the net_cls hierarchy. */
export interface MountThing extends Base {
  readonly kind: 'mount';
  readonly path: string;
  /** The controllers of the hierarchy, as they are mounted elsewhere. */
  readonly controllers: string;
  /** The program that the kernel starts when a group becomes empty (release_agent). */
  readonly agent?: string;
}

/** A file with facts about a group that the kernel does not keep. */
export interface RecordThing extends Base {
  readonly kind: 'record';
  readonly path: string;
}

/** The process that cleans up when no via is left to do it. Its state is `alive` or `dead`. */
export interface KeeperThing extends Base {
  readonly kind: 'keeper';
  /** The FIFO it reads. */
  readonly path: string;
  /** The shell command that starts it, with the FIFO as its standard input. */
  readonly command: string;
}

/** A group's net_cls cgroup; its state is the class id. */
export interface CgroupThing extends Base {
  readonly kind: 'cgroup';
  readonly path: string;
  /** The kernel starts the release agent when the group becomes empty. */
  readonly tells: boolean;
}

/** The record of the iptables-nft tables and chains that did not exist before us. Its state is the record's text. */
export interface BuiltinThing extends Base {
  readonly kind: 'builtin';
  readonly path: string;
  /** The nft commands that remove those tables and chains again, for each family; empty if there are none. */
  readonly take: { readonly [F in Family]: string };
}

/** An object of ours in the kernel or under /run/via: wanted, seen, or both. */
export type Thing =
  | FirewallThing
  | RoutingThing
  | SysctlThing
  | BuiltinThing
  | DirectoryThing
  | MountThing
  | KeeperThing
  | RecordThing
  | CgroupThing;

/** One change. A thing that is mended is removed and added again. */
export interface Change {
  readonly do: 'add' | 'remove' | 'mend';
  readonly thing: Thing;
}
