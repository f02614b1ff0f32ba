import { spawn } from 'node:child_process';
import { ViaError } from '../failure.js';
import { INTERRUPTING, isIgnored } from '../kernel/ignored.js';
import { TOOL_ENVIRONMENT } from '../kernel/tools.js';

/** The longest wait for the lock, in seconds. */
const PATIENCE = 30;

/**
 * Waits for the lock that is open as `fd` and takes it. The event loop runs meanwhile, so that a signal can end the wait
 * unless `patient`. Throws on such a signal, and if the lock is held for too long. `path` is the lock's name.
 */
export async function waitFor(fd: number, path: string, patient: boolean): Promise<void> {
  const flock = spawn('flock', ['-w', String(PATIENCE), '3'], {
    env: TOOL_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'ignore', fd],
    // In another process group: signals to ours must not end it. Node resets ignored signals for its children.
    detached: true,
  });
  const stop = (signal: NodeJS.Signals): void => void (patient || isIgnored(signal) || flock.kill());
  for (const signal of INTERRUPTING) process.on(signal, stop);
  const status = await new Promise<number | null>((resolve, reject) => {
    flock.once('error', reject);
    flock.once('exit', resolve);
  });
  for (const signal of INTERRUPTING) process.off(signal, stop);
  if (status === 0) return;
  if (status === null) throw new ViaError('lock', path, 'interrupted');
  throw new ViaError('lock', path, `held by another process for ${PATIENCE} s`, { hint: 'try again' });
}
