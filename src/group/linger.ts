import { setTimeout as sleep } from 'node:timers/promises';
import { classIdOf, GONE, ignoring, membersOf } from '../kernel/cgroup.js';
import { abort, endingsOf } from '../kernel/endings.js';

/**
 * Waits, still in a group, until the other ends have taken what its members sent last, where nobody is left who needs
 * the group: only this process, and others like it (`isVia`). The sockets have the group's class but no process any
 * more; without the group's rules the kernel would send the rest by main.
 */
export async function linger(path: string, isVia: (pid: number) => boolean): Promise<void> {
  for (let wait = 1; ; wait *= 2) {
    const members = ignoring(GONE, () => membersOf(path)) ?? [];
    const others = members.filter((pid) => pid !== process.pid);
    if (others.every(isVia)) break;
    if (wait > HELPERS || others.some(isVia)) return;
    await sleep(wait);
  }
  const classId = ignoring(GONE, () => classIdOf(path));
  if (classId !== undefined) await ended(classId);
}

/** The longest of the waits for what ends with the command, in milliseconds; 31 in all. */
const HELPERS = 16;

/** How long no connection may make any progress, in milliseconds; then they are ended. */
const PATIENCE = 1000;

/** The longest of the waits between two looks, in milliseconds. */
const LONGEST = 64;

/**
 * Waits until the sockets of a class that no process has any more have sent what they had; where none makes any progress
 * for a second, they are ended. False where they still send after `most` milliseconds.
 */
export async function ended(classId: number, most = Infinity): Promise<boolean> {
  const end = performance.now() + most;
  let least = Infinity;
  let since = performance.now();
  for (let wait = 1; ; wait = Math.min(2 * wait, LONGEST)) {
    const endings = endingsOf(classId);
    if (endings.length === 0) return true;
    const left = endings.reduce((sum, { queued }) => sum + queued, endings.length);
    if (left < least) {
      least = left;
      since = performance.now();
    } else if (performance.now() - since > PATIENCE) {
      abort(endings);
      return true;
    }
    if (performance.now() > end) return false;
    await sleep(wait);
  }
}
