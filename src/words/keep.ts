import { existsSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { ended } from '../group/linger.js';
import { lookJobs } from '../group/look.js';
import { listCgroups } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { RUNTIME } from '../plan/wanted.js';
import { sweepNow } from './sweep.js';

/**
 * What a keeper has done when a group has no member any more (bin/keeper): waits until the other ends have what the
 * members sent last, and takes away what nobody needs. Throws where that fails.
 */
export async function keep(): Promise<void> {
  if (process.geteuid?.() !== 0) throw new ViaError('keep', '', 'not root');
  // Whoever left last was quicker.
  if (!existsSync(RUNTIME)) return;
  const { path, mounted } = findHierarchy();
  const empty = mounted ? listCgroups(path).filter(({ members }) => members.length === 0) : [];
  await Promise.all(empty.map(({ classId }) => ended(classId)));
  await sweepNow(lookJobs(), () => {}, true);
}
