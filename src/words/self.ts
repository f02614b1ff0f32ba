import { oneLine } from '../failure.js';
import { parseAsked } from '../state/asked.js';
import { askedByOwner } from '../state/news.js';
import { readRecord } from '../state/records.js';
import { groupOfProcess, isRoot } from '../kernel/proc.js';
import type { Say } from '../say.js';

/**
 * Prints the gateway of this process's group, as it was typed. It is for prompts, so it starts no process and reads two
 * files: the process's cgroup, and the group's record. A user reads the file for owners instead, and in a group of root's
 * gets the name of the group's directory. Returns false outside any group.
 */
export function tellSelf(say: Say): boolean {
  const uuid = groupOfProcess('self');
  if (uuid === undefined) return false;
  const wish = isRoot() ? parseAsked(readRecord(uuid)?.asked) : askedByOwner(uuid);
  say.out([oneLine(wish?.gateway ?? `via-${uuid}`)]);
  return true;
}
