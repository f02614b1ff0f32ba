import { isViaError } from '../failure.js';
import { GONE, ignoring, moveInto, processesIn } from './cgroup.js';
import { netClsPath } from './proc.js';

/**
 * The cgroup of this process in the hierarchy mounted at a path; undefined for the root, or where the mount does not show
 * it (another cgroup namespace). A move gives all sockets of the process the class of the new cgroup, also those that other
 * processes share (net/core/netclassid_cgroup.c). Only a process that goes back to its cgroup gives them theirs again.
 */
export function homeIn(hierarchy: string): string | undefined {
  const path = netClsPath('self') ?? '/';
  if (path === '/') return undefined;
  const home = `${hierarchy}${path}`;
  return membersIn(home).includes(process.pid) ? home : undefined;
}

/**
 * Moves this process back there; to the root of the hierarchy if that cgroup has been removed, or is a group of via
 * without another member, which is then about to be removed. False if the root is not there either.
 */
export function moveHome(home: string | undefined, hierarchy: string, whole: boolean): boolean {
  return (home !== undefined && isUsed(home) && moveInto(home, whole)) || moveInto(hierarchy, whole);
}

/** Moves this process back there and nowhere else, where it may: a user may move into a group of his own. */
export function returnHome(home: string | undefined): void {
  try {
    if (home !== undefined && isUsed(home)) moveInto(home, true);
  } catch (error) {
    if (!isViaError(error)) throw error;
  }
}

const isUsed = (home: string): boolean =>
  !/\/via-[\da-f-]{36}(\/|$)/.test(home) || membersIn(home).some((pid) => pid !== process.pid);

const membersIn = (path: string): number[] => ignoring([...GONE, 'EACCES', 'EPERM'], () => processesIn(path)) ?? [];
