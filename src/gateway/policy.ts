import { isOurs, LOCAL_TABLE, tableOfLine, type RuleLine } from '../kernel/routing.js';
import { MASK } from '../plan/numbers.js';

/**
 * The lowest preference of somebody else's rule that packets with a mark of ours would meet: Infinity where none does.
 * What such a rule leads to is not asked, nor whose addresses it is about: its table can be filled any time.
 */
export const lowestMet = (rules: readonly RuleLine[]): number =>
  Math.min(...rules.filter((rule) => !isOurs(rule) && isMet(rule)).map(({ priority }) => priority));

function isMet(rule: RuleLine): boolean {
  if (tableOfLine(rule) === LOCAL_TABLE || rule.nop !== undefined) return false;
  // Sent from here: no device it came in by (ip-rule(8)).
  if (rule.iif !== undefined && rule.iif !== 'lo') return false;
  return rule.not !== undefined || !looksAtOurBits(rule);
}

/** What it wants of the mark, a packet of ours does not have: all looked at, or one of our bits to be set. */
const looksAtOurBits = ({ fwmark, fwmask = '0xffffffff' }: RuleLine): boolean =>
  fwmark !== undefined && (Number(fwmask) & MASK) !== 0;
