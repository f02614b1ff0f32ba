import { writeSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { randomBytes } from '../kernel/random.js';
import type { Lock } from './lock.js';

/**
 * Writes a new stamp into the lock, which is held, before a change. A via that later finds its own stamp there knows that
 * no other via has changed anything since. If the stamp cannot be written, records cannot be written either.
 */
export function stamp({ fd }: Lock): string {
  const text = Buffer.from(randomBytes(16)).toString('hex');
  ignoring(['ENOSPC', 'EFBIG', 'EDQUOT', 'ESPIPE'], () => writeSync(fd, `${text}\n`, 0));
  return text;
}

/** The shell condition that the lock has this stamp, for jobs that run under the lock (`Hold.only`). */
export const isStamped = (text: string): string => `read -r stamp <&3 && [ "$stamp" = ${text} ]`;
