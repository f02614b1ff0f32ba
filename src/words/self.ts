import { readFileSync } from 'node:fs';
import { oneLine } from '../failure.js';
import { parseWish } from '../group/follow.js';
import { wishTold } from '../group/news.js';
import { ignoring } from '../kernel/cgroup.js';
import { groupOfProcess } from '../kernel/proc.js';
import { RUNTIME } from '../plan/wanted.js';
import type { Say } from '../say.js';

/**
 * Prints the gateway of the group that this process is in, as it was typed; for a prompt, so that it starts nothing and
 * reads two files. The second is root's record, or what a user is told, who in a group of root's gets its name. Gives
 * whether it is in one.
 */
export function tellSelf(say: Say): boolean {
  const uuid = groupOfProcess('self');
  if (uuid === undefined) return false;
  const gateway = process.geteuid?.() === 0 ? recorded(uuid) : wishTold(uuid)?.gateway;
  say.out([oneLine(gateway ?? `via-${uuid}`)]);
  return true;
}

const recorded = (uuid: string): string | undefined =>
  gatewayIn(
    ignoring(['ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR'], () => readFileSync(`${RUNTIME}/group-${uuid}`, 'utf8')),
  );

function gatewayIn(record = ''): string | undefined {
  try {
    return parseWish((JSON.parse(record) as { asked?: string }).asked)?.gateway;
  } catch {
    // Cut off, or not a record at all.
    return undefined;
  }
}
