import { writeFileSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { GONE, ignoring } from './cgroup.js';
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

/** A process that can be moved: its number, and when it was started, which tells it from a later one with that number. */
export interface Movable {
  readonly pid: number;
  readonly start: string;
}

/** Why a process that is gone cannot be moved, before and since it was looked at. */
export const NONE = 'there is none';
export const ENDED = 'has ended';

/**
 * What is to be moved by this number; by `user`, where it is not root who moves, and his own only. Throws where there is no
 * such process, or it cannot be.
 */
export function movable(pid: number, user?: number): Movable {
  const fields = statOf(pid);
  const start = startIn(fields);
  const flags = fields[6];
  const thread = threadOf(pid);
  if (start === undefined || thread === undefined) throw refusal(pid, NONE);
  if ((Number(flags) & KERNEL_THREAD) !== 0)
    throw refusal(pid, 'a thread of the kernel, which no rule of a group reaches');
  if (pid === process.pid) throw refusal(pid, 'that is via itself');
  if (isKeeper(pid)) throw refusal(pid, 'a keeper of via, which waits for the end of all others in a group');
  if (user !== undefined) refuseOthers(pid, thread, user);
  const isHere = sharesOurs(thread);
  // Last, so that all that was read is of the process that it names.
  if (!runs({ pid, start })) throw refusal(pid, NONE);
  if (!isHere)
    throw refusal(pid, 'in another network namespace', `nsenter -t ${pid} -n via ..., with a gateway from there`);
  return { pid, start };
}

/** The same to be moved out: it, or with `tree` one that it has started, has to be in a group. */
export function movableOut(pid: number, tree: boolean, user?: number): Movable {
  const one = movable(pid, user);
  const all = tree ? [pid, ...descendants([pid])] : [pid];
  if (all.every((each) => groupOf(each) === undefined)) throw refusal(pid, 'in no group');
  return one;
}

/** One that was a member itself would wait for ever (bin/keeper). */
export const isKeeper = (pid: number): boolean => commandLine(pid)?.[1]?.endsWith('/bin/keeper') === true;

/** A program that has, or can take back, the rights of somebody else is not his alone: it is not for him to move. */
function refuseOthers(pid: number, thread: number, user: number): void {
  const uids = uidsOf(thread);
  if (uids.length === 0) throw refusal(pid, NONE);
  if (uids.every((uid) => uid === user)) return;
  throw refusal(pid, uids.includes(user) ? 'runs with the rights of somebody else too' : 'of another user', 'use sudo');
}

/** Whether it is still the same, and has not ended: one that nobody has waited for yet is in no namespace. */
const runs = ({ pid, start }: Movable): boolean => threadOf(pid) !== undefined && startOf(pid) === start;

/** Also of a process that does not let its own user read that. */
function sharesOurs(pid: number): boolean {
  const namespace = netnsOf(pid);
  return namespace === undefined ? sharesNetwork(pid) : namespace === netnsOf('self');
}

/** linux/sched.h, PF_KTHREAD. */
const KERNEL_THREAD = 0x00200000;

const ABSENT = ['ENOENT', 'ESRCH'];

/**
 * Moves a process into the group with this path, with all its threads; `root` is the hierarchy's. Throws where it has
 * ended, or went elsewhere in the meantime: then it, or whoever has its number now, is put back where that was.
 */
export function moveProcess({ pid, start }: Movable, path: string, root: string): void {
  const before = placeOf(pid, root);
  if (startOf(pid) !== start) throw refusal(pid, ENDED);
  try {
    writeFileSync(`${path}/cgroup.procs`, String(pid), { flag: 'r+' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refusal(pid, code === 'ESRCH' ? ENDED : `cannot be moved: ${wordsOf(error)}`);
  }
  const isHere = sharesOurs(threadOf(pid) ?? pid);
  const isSame = runs({ pid, start });
  if (isSame && isHere) return;
  ignoring([...ABSENT, ...GONE, 'EACCES'], () => writeFileSync(`${before}/cgroup.procs`, String(pid), { flag: 'r+' }));
  throw refusal(pid, isSame ? 'has gone to another network namespace' : ENDED);
}

/** Whether a process is in the group with this path, and in no other one in it; the root's is none of ours. */
export const isIn = (pid: number, path: string, root: string): boolean => placeOf(pid, root) === path;

/** The directory that a process is in, as far as it is in a group of ours: else the hierarchy's root. */
const placeOf = (pid: number, root: string): string =>
  `${root}${/\/via-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?:\/.*)?$/.exec(netClsPath(threadOf(pid) ?? pid) ?? '')?.[0] ?? ''}`;

/** The uuid of the group that a process is in, if it is in one. */
export const groupOf = (pid: number): string | undefined => groupOfProcess(threadOf(pid) ?? pid);

/** The error for one process. */
export const refusal = (pid: number, why: string, hint?: string): ViaError =>
  new ViaError('process', String(pid), why, hint === undefined ? {} : { hint });

/** All that these have started and that still runs, and they have started, as far as their parents live. */
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
