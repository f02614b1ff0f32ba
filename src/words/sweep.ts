import { changesFor } from '../group/changes.js';
import { look, lookJobs, READ_ONLY } from '../group/look.js';
import { transaction } from '../group/transaction.js';
import { ViaError } from '../failure.js';
import { installedFirewalls } from '../kernel/firewall.js';
import { isRoot } from '../kernel/proc.js';
import { firewalls } from '../plan/marking/firewalls.js';
import { render } from '../plan/render.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';
import { lockAndRun } from '../state/lock.js';

/** Removes what a killed via left, and mends the groups that are alive. Throws if that fails. */
export async function sweep({ options }: Extract<Request, { word: 'sweep' }>, say: Say): Promise<void> {
  if (!isRoot())
    throw new ViaError('sweep', '', 'not root', { hint: `sudo via sweep${options.dryRun ? ' --dry-run' : ''}` });
  if (options.dryRun) return preview(say);
  const held = await lockAndRun(lookJobs(...installedFirewalls()));
  return transaction(held, { tell: say.changes }, (change) => void change.settle());
}

/** Prints what it would change, as commands. */
async function preview(say: Say): Promise<void> {
  const { runApart } = await import('../kernel/execa.js');
  const system = look(await runApart(lookJobs(...installedFirewalls())), READ_ONLY);
  say.out(render(changesFor(system, []), firewalls));
}
