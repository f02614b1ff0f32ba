import type { Facts } from '../facts.js';
import type { Change, FirewallThing } from '../things.js';
import type { Group } from '../wayout.js';

/** One process of a firewall's tool and its standard input. It takes effect as a whole or not at all. */
export interface Transaction {
  readonly argv: readonly [string, ...string[]];
  readonly input: string;
  /** A command that runs after it has succeeded. Its result is ignored. */
  readonly after?: string;
}

/** A way of marking the packets of a group's sockets, of guarding them, and of refusing families without a path. */
export interface Marking {
  /** The objects that these groups need; empty without groups. */
  wanted(groups: readonly Group[], facts: Facts): FirewallThing[];
  /** The transactions that make these changes; none without changes. */
  transactions(changes: readonly Change[]): Transaction[];
}
