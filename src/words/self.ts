import { oneLine } from '../failure.js';
import { parseWish } from '../group/follow.js';
import { wishTold } from '../group/news.js';
import { readRecord } from '../group/records.js';
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
  const wish = isRoot() ? parseWish(readRecord(uuid)?.asked) : wishTold(uuid);
  say.out([oneLine(wish?.gateway ?? `via-${uuid}`)]);
  return true;
}
