import { oneLine } from '../failure.js';
import { parseAsked } from '../state/asked.js';
import { askedByOwner } from '../state/news.js';
import { readRecord } from '../state/records.js';
import { groupOfProcess, isRoot } from '../kernel/proc.js';
import type { Say } from '../say.js';

/**
 * Prints the gateway of the group that this process is in, as it was typed; for a prompt, so that it starts nothing and
 * reads two files. The second is root's record, or what a user is told, who in a group of root's gets its name. Gives
 * whether it is in one.
 */
export function tellSelf(say: Say): boolean {
  const uuid = groupOfProcess('self');
  if (uuid === undefined) return false;
  const wish = isRoot() ? parseAsked(readRecord(uuid)?.asked) : askedByOwner(uuid);
  say.out([oneLine(wish?.gateway ?? `via-${uuid}`)]);
  return true;
}
