import { spawn } from 'node:child_process';
import { ViaError } from '../failure.js';
import { INTERRUPTING, isIgnored } from '../kernel/ignored.js';
import { TOOL_ENVIRONMENT } from '../kernel/tools.js';

/** Longest wait for the lock, in seconds. */
const PATIENCE = 30;

/**
 * Waits for the lock that is open as `fd`, and takes it; with the event loop running, so that a signal can end the wait
 * unless it is `patient`. Throws on that, and when somebody else holds the lock for too long; `path` is its name.
 */
export async function waitFor(fd: number, path: string, patient: boolean): Promise<void> {
  const flock = spawn('flock', ['-w', String(PATIENCE), '3'], {
    env: TOOL_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'ignore', fd],
    // Out of reach of what is sent to our process group: that may be ignored, which Node takes back for what it starts.
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
