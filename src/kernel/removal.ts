import { rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isViaError, ViaError, wordsOf } from '../failure.js';
import { children, GONE, ignoring, isForOutside, membersOf, processesIn } from './cgroup.js';
import { moveProcess } from './moving.js';
import { startOf } from './proc.js';

/**
 * Removes a group that has no members; false where it has. A group whose list is empty can still say that it is busy
 * for a moment: its last process is not all gone.
 */
export async function removeCgroup(path: string): Promise<boolean> {
  for (let wait = 1; wait < 500; wait *= 2) {
    if (removedNow(path)) return true;
    const members = ignoring(GONE, () => membersOf(path)) ?? [];
    if (members.length > 0) return false;
    await sleep(wait);
  }
  return removedNow(path);
}

/** Removes a group, and its child groups, if they are empty at this moment; true also when there was none. */
export function removedNow(path: string): boolean {
  try {
    for (const child of children(path)) {
      if (isForOutside(child)) letOut(child, dirname(path));
      removedNow(child);
    }
    rmdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (GONE.includes(code ?? '')) return true;
    if (code === 'EBUSY') return false;
    throw new ViaError('cgroup', path, `cannot be removed: ${wordsOf(error)}`, { cause: error });
  }
}

/** Whoever has left the group goes where he would be without it: it could not go while he lives. */
function letOut(child: string, root: string): void {
  for (const pid of ignoring(GONE, () => processesIn(child)) ?? []) {
    const start = startOf(pid);
    try {
      if (start !== undefined) moveProcess({ pid, start }, root, root);
    } catch (error) {
      // He has ended.
      if (!isViaError(error)) throw error;
    }
  }
}
