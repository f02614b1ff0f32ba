import type { Change, FirewallThing } from '../things.js';
import type { Facts } from '../facts.js';
import type { Group } from '../wayout.js';

/**
 * A way of giving the packets of a group's sockets the group's mark, of guarding them, and of refusing what has no way.
 * nftables is one; another needs to know no more than this.
 */
export interface Marking {
  /** The objects these groups need; empty without groups. */
  wanted(groups: readonly Group[], facts: Facts): FirewallThing[];
  /** The text of one transaction that makes these changes; empty without changes. */
  transaction(changes: readonly Change[]): string;
}
