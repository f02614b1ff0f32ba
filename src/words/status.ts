import { describe, membersByGroup, sharesNetwork } from '../kernel/process.js';
import { isRoot } from '../kernel/proc.js';
import { lockIfThere, unlock } from '../state/lock.js';
import { look, lookJobs, lookJobsOfUser, READ_ONLY, AS_USER, type System } from '../group/look.js';
import { askedByOwner } from '../state/news.js';
import { statusOf, type Status } from '../group/status.js';
import { isOurs, tableOfLine } from '../kernel/routing.js';
import { runTools } from '../kernel/tools.js';
import { FALLBACK_TABLE } from '../plan/numbers.js';
import { statusTable, type All } from '../plan/table.js';
import { FAMILIES } from '../plan/family.js';
import { optionsOf } from '../plan/wayout.js';
import type { Say } from '../say.js';

/** The version of the JSON. It changes if a field is removed or gets another meaning; fields may be added. */
const SHAPE = 1;

/** Prints the groups of this network namespace, as a table or as JSON. */
export async function status(json: boolean, say: Say): Promise<void> {
  const root = isRoot();
  const seen = root ? await seenByRoot() : seenByUser();
  if (json) {
    say.out([JSON.stringify({ version: SHAPE, complete: root, ...seen }, null, 2)]);
    return;
  }
  const columns = process.stdout.isTTY ? process.stdout.columns : 80;
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  say.out(statusTable({ ...seen, complete: root }, { columns: Math.max(columns, 40), colour }));
}

/** Everything that this user may see. */
interface Seen extends Omit<All, 'complete'> {
  readonly groups: readonly Status[];
}

/** Looks without the lock. If anything is missing, another via may just be making it, so it looks again with the lock. */
async function seenByRoot(): Promise<Seen> {
  const first = seenIn(look(runTools(lookJobs()) ?? [], READ_ONLY));
  if (first.groups.every(({ missing = [] }) => missing.length === 0)) return first;
  const held = await lockIfThere(lookJobs());
  if (held === undefined) return seenIn(look(runTools(lookJobs()) ?? [], READ_ONLY));
  try {
    return seenIn(look(held.done, READ_ONLY));
  } finally {
    unlock(held.lock);
  }
}

function seenIn(system: System): Seen {
  const groups = statusOf(system);
  return { groups, elsewhere: system.cgroups.length - groups.length };
}

/**
 * Without root: members are visible in /proc, devices and routes by ip(8). Which routes belong to which members is known to
 * root only, except for the user's own groups.
 */
function seenByUser(): Seen {
  const { routing } = look(runTools(lookJobsOfUser()) ?? [], AS_USER);
  const all = [...membersByGroup()];
  const here = all.filter(([, pids]) => pids.some(sharesNetwork));
  const groups = here.map(([id, pids]) => ({ id, ...askedBy(id), members: describe(pids) }));
  const routes = FAMILIES.flatMap((family) => routing[family].routes)
    .filter(
      (route) =>
        isOurs(route) && route.dst === 'default' && route.dev !== undefined && tableOfLine(route) < FALLBACK_TABLE,
    )
    .map((route) => ({
      table: tableOfLine(route),
      device: route.dev ?? '',
      ...(route.gateway === undefined ? {} : { gateway: route.gateway }),
    }));
  return { groups, routes, elsewhere: all.length - here.length };
}

function askedBy(uuid: string): Pick<Status, 'gateway' | 'options'> {
  const wish = askedByOwner(uuid);
  if (wish === undefined) return {};
  const { gateway, ipv4, ipv6, lan } = wish;
  return { gateway, options: optionsOf({ v4: ipv4, v6: ipv6, lan }) };
}
