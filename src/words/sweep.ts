import { look, lookJobs, SWEEPING } from '../group/look.js';
import { lockAndRun, unlock } from '../group/lock.js';
import { settle } from '../group/settle.js';
import { ViaError } from '../failure.js';
import type { Say } from '../say.js';

/** Takes away what a killed via left, and mends what others took from groups that are alive. Throws where that fails. */
export async function sweep(say: Say): Promise<void> {
  if (process.geteuid?.() !== 0) throw new ViaError('sweep', '', 'not root', { hint: 'sudo via sweep' });
  const { lock, done } = await lockAndRun(lookJobs());
  try {
    settle(look(done, SWEEPING), [], lock, say.changes);
  } finally {
    unlock(lock);
  }
}
