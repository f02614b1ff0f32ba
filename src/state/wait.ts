import { spawn } from 'node:child_process';
import { ViaError } from '../failure.js';
import { INTERRUPTING, isIgnored } from '../kernel/ignored.js';
import { TOOL_ENVIRONMENT } from '../kernel/tools.js';

/** The longest wait for the lock, in seconds. */
const PATIENCE = 30;

/** The status of flock(1) where it cannot set up a timer: a caller's `ulimit -i` may leave no room for one (timer_create(2)). */
const NO_TIMER = 71;

/**
 * Waits for the lock that is open as `fd` and takes it. The event loop runs meanwhile, so that a signal can end the wait
 * unless `patient`. Throws on such a signal, and if the lock is held for too long. `path` is the lock's name.
 */
export async function waitFor(fd: number, path: string, patient: boolean): Promise<void> {
  let status = await flock(fd, ['-w', String(PATIENCE)], patient);
  // Node counts then. That comes second, since a flock without a limit outlives a via that is killed.
  if (status === NO_TIMER) status = await flock(fd, [], patient, PATIENCE * 1000);
  if (status === 0) return;
  if (status === null) throw new ViaError('lock', path, 'interrupted');
  if (status !== 1) throw new ViaError('lock', path, `flock ended with status ${status}`);
  throw new ViaError('lock', path, `held by another process for ${PATIENCE} s`, { hint: 'try again' });
}

/** Gives the status of flock(1), or null where a signal has ended the wait; 1 after `limit` milliseconds. */
async function flock(fd: number, options: string[], patient: boolean, limit?: number): Promise<number | null> {
  const child = spawn('flock', [...options, '3'], {
    env: TOOL_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'ignore', fd],
    // In another process group: signals to ours must not end it. Node resets ignored signals for its children.
    detached: true,
  });
  const stop = (signal: NodeJS.Signals): void => void (patient || isIgnored(signal) || child.kill());
  for (const signal of INTERRUPTING) process.on(signal, stop);
  let isLate = false;
  const late = (): void => {
    isLate = true;
    child.kill();
  };
  const timer = limit === undefined ? undefined : setTimeout(late, limit);
  try {
    return await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status) => resolve(status === null && isLate ? 1 : status));
    });
  } finally {
    clearTimeout(timer);
    for (const signal of INTERRUPTING) process.off(signal, stop);
  }
}
