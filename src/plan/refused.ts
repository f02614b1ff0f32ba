import type { Facts } from './facts.js';
import type { Family } from './family.js';
import { pathName, wayOf, type Group } from './wayout.js';

/**
 * True if a group refuses a family: always, or because its path cannot be used now. Without the refusal TCP would wait
 * for its timeout. An IPv4 router that does not answer is not refused: the next packet makes the kernel ask for it again.
 * For IPv6 the kernel skips such a router (find_rr_leaf), and the table's `unreachable` route answers.
 */
export function isRefused(group: Group, family: Family, { broken, unanswered }: Facts): boolean {
  const way = wayOf(group.wayOut, family);
  if (typeof way === 'string') return way === 'refuse';
  const name = pathName(family, group);
  return broken?.has(name) === true || (family === 6 && unanswered?.has(name) === true);
}
