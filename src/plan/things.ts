import type { Family } from './wayout.js';

/** Who a thing is for: one group, all groups of the network namespace, or all groups of the machine. */
export type Scope = 'group' | 'namespace' | 'machine';

interface Base {
  /** Equal ids are the same thing, wanted and seen. */
  readonly id: string;
  readonly scope: Scope;
  /** What may differ between two things of one id; a difference is mended. */
  readonly state: string;
}

/** What a group's sockets are marked by: nftables, or one of the two variants of iptables. */
export type Firewall = 'nft' | 'iptables-nft' | 'iptables-legacy';

/** A piece of our rules: its lines are commands of one transaction of that firewall. */
export interface FirewallThing extends Base {
  readonly kind: 'firewall';
  readonly by: Firewall;
  /** Made when asked for: most launches find everything in place. */
  readonly add: () => readonly string[];
  /** How it is removed, where that does not follow from its id. */
  readonly remove?: () => readonly string[];
  /** Can only be changed by making the whole table anew: the table itself, base chains, maps. */
  readonly fixed: boolean;
}

/** A route or a policy rule, as the words that follow `ip route add` or `ip rule add`. */
export interface RoutingThing extends Base {
  readonly kind: 'route' | 'rule';
  readonly family: Family;
  readonly words: string;
}

/** A device's src_valid_mark, with the value to put back. */
export interface SysctlThing extends Base {
  readonly kind: 'sysctl';
  readonly device: string;
  readonly old: string;
  /** The file that keeps the old value. */
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
  /** The controllers of the hierarchy: they must be named as they are mounted elsewhere. */
  readonly controllers: string;
  /** The program that the kernel is to run when a group is empty. */
  readonly agent?: string;
}

/** What the kernel cannot tell about a group, in a file. */
export interface RecordThing extends Base {
  readonly kind: 'record';
  readonly path: string;
}

/** The process that cleans up when no via is left to do it; its state says whether it lives. */
export interface KeeperThing extends Base {
  readonly kind: 'keeper';
  /** The FIFO it reads. */
  readonly path: string;
  /** What starts it, as a command of the shell; the FIFO has to be its standard input. */
  readonly command: string;
}

/** A group's net_cls cgroup; its state is the class id. */
export interface CgroupThing extends Base {
  readonly kind: 'cgroup';
  readonly path: string;
  /** The kernel is to tell when it is empty. */
  readonly tells: boolean;
}

/** What of iptables' own tables was not there before us, on record; its state is the record's text. */
export interface BuiltinThing extends Base {
  readonly kind: 'builtin';
  readonly path: string;
  /** nft's commands that take it away again, for each family; empty where nothing is to be taken. */
  readonly take: { readonly [F in Family]: string };
}

/** An object in the kernel or under /run/via that is ours: wanted, seen, or both. */
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

/** One change, as data. A thing that is mended is removed and added. */
export interface Change {
  readonly do: 'add' | 'remove' | 'mend';
  readonly thing: Thing;
}
