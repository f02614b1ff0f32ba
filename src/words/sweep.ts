import { look, lookJobs, SWEEPING, WATCHING } from '../group/look.js';
import { lockAndRun, unlock } from '../state/lock.js';
import { changesFor, settle } from '../group/settle.js';
import { ViaError } from '../failure.js';
import { installedFirewalls } from '../kernel/firewall.js';
import { isRoot } from '../kernel/proc.js';
import { firewalls } from '../plan/marking/firewalls.js';
import { render } from '../plan/render.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';

/** Takes away what a killed via left, and mends what others took from groups that are alive. Throws where that fails. */
export async function sweep({ options }: Extract<Request, { word: 'sweep' }>, say: Say): Promise<void> {
  if (!isRoot())
    throw new ViaError('sweep', '', 'not root', { hint: `sudo via sweep${options.dryRun ? ' --dry-run' : ''}` });
  if (options.dryRun) return preview(say);
  const { lock, done } = await lockAndRun(lookJobs(...installedFirewalls()));
  try {
    settle(look(done, SWEEPING), [], lock, say.changes);
  } finally {
    unlock(lock);
  }
}

/** Prints what it would change, as commands. */
async function preview(say: Say): Promise<void> {
  const { runApart } = await import('../kernel/execa.js');
  const system = look(await runApart(lookJobs(...installedFirewalls())), WATCHING);
  say.out(render(changesFor(system, []), firewalls));
}
