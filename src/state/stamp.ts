import { writeSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { randomBytes } from '../kernel/random.js';
import type { Lock } from './lock.js';

/**
 * Writes into the lock, which is held, that something is about to be changed. Whoever finds its own stamp there later
 * knows that no other via has changed anything since. Where it cannot be written no record can either, so that nothing
 * can be made but only be taken away or put right.
 */
export function stamp({ fd }: Lock): string {
  const text = Buffer.from(randomBytes(16)).toString('hex');
  ignoring(['ENOSPC', 'EFBIG', 'EDQUOT', 'ESPIPE'], () => writeSync(fd, `${text}\n`, 0));
  return text;
}

/** Whether it is this stamp, as a condition for jobs that run under the lock (Hold's `only`). */
export const isStamped = (text: string): string => `read -r stamp <&3 && [ "$stamp" = ${text} ]`;
