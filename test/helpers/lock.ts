import type { Running } from './exec.js';
import type { Lab } from './lab.js';

/** Holds the lock, from a directory that is there, until its input ends. */
export async function holdLock(lab: Lab): Promise<Running> {
  await lab.sh('client', 'mkdir -pm 700 /run/via; touch /run/via/lock; chmod 600 /run/via/lock');
  const holder = lab.start('client', ['flock', '/run/via/lock', 'sh', '-c', 'echo held; read _']);
  await holder.waitFor(/held/);
  return holder;
}
