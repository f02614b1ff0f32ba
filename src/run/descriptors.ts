import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const CLOEXEC = 0o2000000;

/**
 * The descriptors above 2 that via was called with. `helper` is a fork of the shell that became us: what it has open
 * without close-on-exec, and we too, the caller gave; all else is Node's. Our own flags cannot tell, since Node sets
 * close-on-exec on what it inherits. `except` is the launcher's own.
 */
export function inherited(helper: number, except: number): number[] {
  const open = readdirSync(`/proc/${helper}/fd`).map(Number);
  return open.filter((fd) => fd > 2 && fd !== except && isInherited(helper, fd) && isShared(helper, fd));
}

/**
 * The `stdio` of a spawn that gives the command `descriptors` at their own numbers. Above 2, 'ignore' leaves a number
 * as it is: closed, as all that Node opens closes. What Node left open across an exec (above 15) needs no place here,
 * so the list stays short whatever the numbers.
 */
export function stdio(descriptors: readonly number[]): (number | 'ignore')[] {
  const given = descriptors.filter((fd) => !isInherited(process.pid, fd));
  const list: (number | 'ignore')[] = Array.from({ length: Math.max(2, ...given) + 1 }, () => 'ignore');
  for (const fd of [0, 1, 2, ...given]) list[fd] = fd;
  return list;
}

/** Whether what a process executes gets this descriptor. */
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
