import type { Facts } from '../facts.js';
import type { Change, FirewallThing } from '../things.js';
import type { Group } from '../wayout.js';

/** One process of a firewall's tool, and the text it reads: all of it takes effect at once, or nothing. */
export interface Transaction {
  readonly argv: readonly [string, ...string[]];
  readonly input: string;
  /** Runs after it, where it worked; what comes of that does not matter. */
  readonly after?: string;
}

/**
 * A way of giving the packets of a group's sockets the group's mark, of guarding them, and of refusing what has no way.
 * nftables is one, iptables another; a third needs to know no more than this.
 */
export interface Marking {
  /** The objects these groups need; empty without groups. */
  wanted(groups: readonly Group[], facts: Facts): FirewallThing[];
  /** What makes these changes; none without changes. */
  transactions(changes: readonly Change[]): Transaction[];
}
