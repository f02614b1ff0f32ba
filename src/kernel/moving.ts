import { writeFileSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { GONE, ignoring, removed } from './cgroup.js';
import { processes, sharesNetwork } from './process.js';
import {
  commandLine,
  groupOfProcess,
  netClsPath,
  netnsOf,
  startIn,
  startOf,
  statOf,
  threadOf,
  uidsOf,
} from './proc.js';

/** A process that can be moved: its id, and its start time, which distinguishes it from a later one with that id. */
export interface Movable {
  readonly pid: number;
  readonly start: string;
}

/**
 * Checks that a process can be moved, and gives it with its start time. With `user` only a process of that user passes.
 * Throws if there is no such process, or if it must not be moved.
 */
export function movable(pid: number, user?: number): Movable {
  const fields = statOf(pid);
  const start = startIn(fields);
  const flags = fields[6];
  const thread = threadOf(pid);
  if (start === undefined || thread === undefined) throw noProcess(pid);
  if ((Number(flags) & KERNEL_THREAD) !== 0) throw refusal(pid, 'a kernel thread, whose packets via cannot mark');
  if (pid === process.pid) throw refusal(pid, 'that is via itself');
  if (isKeeper(pid)) throw refusal(pid, 'a keeper of via');
  if (user !== undefined) refuseOthers(pid, thread, user);
  const isHere = sharesOurs(thread);
  // Checked last, so that everything above was read from this process and not from a later one with its id.
  if (!runs({ pid, start })) throw noProcess(pid);
  if (!isHere)
    throw refusal(pid, 'in another network namespace', `nsenter -t ${pid} -n via ..., with a gateway from there`);
  return { pid, start };
}

/** The same for a process that leaves: it, or with `tree` one of its descendants, must be in a group. */
export function movableOut(pid: number, tree: boolean, user?: number): Movable {
  const one = movable(pid, user);
  const all = tree ? [pid, ...descendants([pid])] : [pid];
  if (all.every((each) => groupOf(each) === undefined)) throw refusal(pid, 'in no group');
  return one;
}

/** True for a keeper (bin/keeper). As a member it would wait forever for its own end. */
export const isKeeper = (pid: number): boolean => commandLine(pid)?.[1]?.endsWith('/bin/keeper') === true;

/** Throws unless all user ids of a process are the user's. A set-user-ID program runs with another user's rights too. */
function refuseOthers(pid: number, thread: number, user: number): void {
  const uids = uidsOf(thread);
  if (uids.length === 0) throw noProcess(pid);
  if (uids.every((uid) => uid === user)) return;
  throw refusal(pid, uids.includes(user) ? 'also has the rights of another user' : 'of another user', 'use sudo');
}

/** True if it is the same process and still runs. A zombie does not count: it has no namespaces. */
const runs = ({ pid, start }: Movable): boolean => threadOf(pid) !== undefined && startOf(pid) === start;

/** True if a process is in our network namespace, also if /proc/PID/ns may not be read. */
function sharesOurs(pid: number): boolean {
  const namespace = netnsOf(pid);
  return namespace === undefined ? sharesNetwork(pid) : namespace === netnsOf('self');
}

/** linux/sched.h, PF_KTHREAD. */
const KERNEL_THREAD = 0x00200000;

const ABSENT = ['ENOENT', 'ESRCH'];

/**
 * Moves a process with all its threads into the group with this path; `root` is the root of the hierarchy. Throws if the
 * process has ended or has changed its network namespace meanwhile. The process that has its id then is moved back.
 */
export function moveProcess({ pid, start }: Movable, path: string, root: string): void {
  const before = placeOf(pid, root);
  if (startOf(pid) !== start) throw hasEnded(pid);
  try {
    writeFileSync(`${path}/cgroup.procs`, String(pid), { flag: 'r+' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') throw hasEnded(pid);
    if (GONE.includes(code ?? '')) throw removed(path);
    throw refusal(pid, `cannot be moved: ${wordsOf(error)}`);
  }
  const isHere = sharesOurs(threadOf(pid) ?? pid);
  const isSame = runs({ pid, start });
  if (isSame && isHere) return;
  ignoring([...ABSENT, ...GONE, 'EACCES'], () => writeFileSync(`${before}/cgroup.procs`, String(pid), { flag: 'r+' }));
  throw isSame ? refusal(pid, 'has changed its network namespace') : hasEnded(pid);
}

/** True if a process is directly in the group with this path. */
export const isIn = (pid: number, path: string, root: string): boolean => placeOf(pid, root) === path;

/** The directory of the group of ours that a process is in, else the hierarchy's root. */
const placeOf = (pid: number, root: string): string =>
  `${root}${/\/via-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?:\/.*)?$/.exec(netClsPath(threadOf(pid) ?? pid) ?? '')?.[0] ?? ''}`;

/** The uuid of the group that a process is in; undefined if it is in none. */
export const groupOf = (pid: number): string | undefined => groupOfProcess(threadOf(pid) ?? pid);

/** The errors for a process that has ended: before it was looked at, and after. */
export const noProcess = (pid: number): ViaError => ended(pid, 'no such process');
const hasEnded = (pid: number): ViaError => ended(pid, 'has ended');
const ended = (pid: number, why: string): ViaError => new ViaError('process', String(pid), why, { code: 'ended' });

/** The error for a process that must not be moved. */
export const refusal = (pid: number, why: string, hint?: string): ViaError =>
  new ViaError('process', String(pid), why, hint === undefined ? {} : { hint });

/** The descendants of processes. A process whose parent has ended is no longer a descendant. */
export function descendants(pids: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const pid of processes()) {
    const parent = Number(statOf(pid)[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = new Set<number>();
  const pending = [...pids];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      pending.push(child);
    }
  }
  return [...found];
}
