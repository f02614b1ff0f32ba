import { isOurs, LOCAL_TABLE, tableOfLine, type RuleLine } from '../kernel/routing.js';
import { MASK } from '../plan/numbers.js';

/**
 * The lowest preference of another tool's policy rule that can match a packet with our mark; Infinity where there is
 * none. Neither the rule's table nor its addresses are looked at, since the table can be filled at any time.
 */
export const lowestMet = (rules: readonly RuleLine[]): number =>
  Math.min(...rules.filter((rule) => !isOurs(rule) && isMet(rule)).map(({ priority }) => priority));

function isMet(rule: RuleLine): boolean {
  if (tableOfLine(rule) === LOCAL_TABLE || rule.nop !== undefined) return false;
  // Our packets are sent by this machine, so their input device is lo (ip-rule(8)).
  if (rule.iif !== undefined && rule.iif !== 'lo') return false;
  return rule.not !== undefined || !looksAtOurBits(rule);
}

/** A rule whose mask covers any of our bits does not match our packets: it expects another value there. */
const looksAtOurBits = ({ fwmark, fwmask = '0xffffffff' }: RuleLine): boolean =>
  fwmark !== undefined && (Number(fwmask) & MASK) !== 0;
