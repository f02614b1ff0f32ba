import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const CLOEXEC = 0o2000000;

/**
 * The descriptors above 2 that via inherited from its caller. `helper` is a fork of the shell that became us. A descriptor
 * that is open in both, and without close-on-exec in the helper, is from the caller; all others are Node's. Our own flags
 * do not show it, because Node sets close-on-exec on inherited descriptors. `except` is the launcher's own.
 */
export function inherited(helper: number, except: number): number[] {
  const open = readdirSync(`/proc/${helper}/fd`).map(Number);
  return open.filter((fd) => fd > 2 && fd !== except && isInherited(helper, fd) && isShared(helper, fd));
}

/**
 * The `stdio` of a spawn that gives the command `descriptors` at their own numbers. Above 2, 'ignore' leaves a number
 * closed, because Node opens its own files with close-on-exec. Descriptors above 15, which Node leaves open across an exec,
 * need no entry, so the list stays short.
 */
export function stdio(descriptors: readonly number[]): (number | 'ignore')[] {
  const given = descriptors.filter((fd) => !isInherited(process.pid, fd));
  const list: (number | 'ignore')[] = Array.from({ length: Math.max(2, ...given) + 1 }, () => 'ignore');
  for (const fd of [0, 1, 2, ...given]) list[fd] = fd;
  return list;
}

/** True if a program that a process executes gets this descriptor. */
export const isInherited = (pid: number, fd: number): boolean => !(flags(pid, fd) & CLOEXEC);

function isShared(helper: number, fd: number): boolean {
  try {
    return readlinkSync(`/proc/${helper}/fd/${fd}`) === readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return false;
  }
}

function flags(pid: number, fd: number): number {
  try {
    return parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0', 8);
  } catch {
    return CLOEXEC;
  }
}
