import type { Facts } from './facts.js';
import { pathName, wayOf, type Family, type Group } from './wayout.js';

/**
 * Whether a group refuses a family: for good, or because its path is not there now, when a program's TCP would wait for
 * its timeout. A router of IPv4 that does not answer is found so by each program that tries, and so when it is back; past
 * one of IPv6 the kernel looks on in the table (find_rr_leaf), where `unreachable` is next.
 */
export function isRefused(group: Group, family: Family, { broken, unanswered }: Facts): boolean {
  const way = wayOf(group.wayOut, family);
  if (typeof way === 'string') return way === 'refuse';
  const name = pathName(family, group);
  return broken?.has(name) === true || (family === 6 && unanswered?.has(name) === true);
}
