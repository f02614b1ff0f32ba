import { readFileSync } from 'node:fs';
import { parseWish } from '../group/follow.js';
import { ignoring } from '../kernel/cgroup.js';
import { groupOfProcess } from '../kernel/proc.js';
import { RUNTIME } from '../plan/wanted.js';
import type { Say } from '../say.js';

/**
 * Prints the gateway of the group that this process is in, as it was typed; for a prompt, so that it starts nothing and
 * reads two files. Who may not read the second, a user, gets the group's own name. Gives whether it is in one.
 */
export function tellSelf(say: Say): boolean {
  const uuid = groupOfProcess('self');
  if (uuid === undefined) return false;
  const text = ignoring(['ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR'], () =>
    readFileSync(`${RUNTIME}/group-${uuid}`, 'utf8'),
  );
  say.out([gatewayIn(text) ?? `via-${uuid}`]);
  return true;
}

function gatewayIn(record = ''): string | undefined {
  try {
    return parseWish((JSON.parse(record) as { asked?: string }).asked)?.gateway;
  } catch {
    // Cut off, or not a record at all.
    return undefined;
  }
}
