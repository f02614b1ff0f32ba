import { rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isViaError, ViaError, wordsOf } from '../failure.js';
import { children, GONE, ignoring, isForOutside, membersOf, processesIn } from './cgroup.js';
import { moveProcess } from './moving.js';
import { startOf } from './proc.js';

/**
 * Removes a group; returns false if it has members. An empty group can still be busy for a moment, while its last
 * process exits.
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

/** Removes a group and its child groups if they are empty now; returns true also if there was none. */
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

/** Moves detached processes to the root, where they would be without the group. The group can then be removed. */
function letOut(child: string, root: string): void {
  for (const pid of ignoring(GONE, () => processesIn(child)) ?? []) {
    const start = startOf(pid);
    try {
      if (start !== undefined) moveProcess({ pid, start }, root, root);
    } catch (error) {
      // The process has ended.
      if (!isViaError(error)) throw error;
    }
  }
}
