import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { GONE, ignoring } from './cgroup.js';
import { processes } from './process.js';
import { netnsOf, startIn, startOf, statOf } from './proc.js';
import { runTools } from './tools.js';

/** A process that can be moved: its number, and when it was started, which tells it from a later one with that number. */
export interface Movable {
  readonly pid: number;
  readonly start: string;
}

/** What is to be moved by this number. Throws where there is no such process, or it cannot be. */
export function movable(pid: number): Movable {
  const fields = statOf(pid);
  const start = startIn(fields);
  const [state, , , , , , flags] = fields;
  if (start === undefined || state === 'Z' || state === 'X') throw refusal(pid, 'there is none');
  if ((Number(flags) & KERNEL_THREAD) !== 0)
    throw refusal(pid, 'a thread of the kernel, which no rule of a group reaches');
  if (pid === process.pid) throw refusal(pid, 'that is via itself');
  const namespace = netnsOf(pid);
  if (namespace === undefined) throw refusal(pid, 'its network namespace cannot be read');
  if (namespace !== netnsOf('self'))
    throw refusal(pid, 'in another network namespace', `nsenter -t ${pid} -n via ..., with a gateway from there`);
  return { pid, start };
}

/** linux/sched.h, PF_KTHREAD. */
const KERNEL_THREAD = 0x00200000;

const ENDED = ['ENOENT', 'ESRCH'];

/**
 * Moves a process into the group with this path, with all its threads. Throws where it has ended, or went elsewhere in
 * the meantime: then it, or whoever has its number now, is put back.
 */
export function moveProcess({ pid, start }: Movable, path: string, back: string): void {
  if (startOf(pid) !== start) throw refusal(pid, 'has ended');
  try {
    writeFileSync(`${path}/cgroup.procs`, String(pid), { flag: 'r+' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refusal(pid, code === 'ESRCH' ? 'has ended' : `cannot be moved: ${wordsOf(error)}`);
  }
  const isSame = startOf(pid) === start;
  if (isSame && netnsOf(pid) === netnsOf('self')) return;
  ignoring([...ENDED, ...GONE], () => writeFileSync(`${back}/cgroup.procs`, String(pid), { flag: 'r+' }));
  throw refusal(pid, isSame ? 'has gone to another network namespace' : 'has ended');
}

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

/**
 * Makes connection tracking know the TCP connections of these processes, without any mark, where it has only just started
 * and does not: else their next packets would pass for a new connection's, and go by the group's way. An entry that is
 * there stays. Gives whether it could be done: false where conntrack(8) is missing.
 */
export function keepConnections(pids: readonly number[]): boolean {
  const inodes = new Set(pids.flatMap((pid) => socketsOf(pid)));
  if (inodes.size === 0) return true;
  const [listed] = runTools([{ argv: ['ss', '-tnHOe', 'state', 'connected', 'exclude', 'syn-sent'] }]) ?? [];
  const ends = (listed?.output ?? '').split('\n').flatMap((line) => {
    const [, local, peer, inode] = SOCKET.exec(line) ?? [];
    if (local === undefined || peer === undefined || inode === undefined || !inodes.has(inode)) return [];
    return [[endOf(local), endOf(peer)] as const];
  });
  if (ends.length === 0) return true;
  const inserts = ends.flatMap(([from, to]) => [
    `conntrack -I -p tcp -s ${from.address} -d ${to.address} --sport ${from.port} --dport ${to.port}`,
    `--state ESTABLISHED -u SEEN_REPLY,ASSURED -t ${DAYS} 2>/dev/null;`,
  ]);
  const [done] = runTools([{ argv: ['{', 'command -v conntrack && {', ...inserts, ':;', '};', '}'] }]) ?? [];
  return done?.status === 0;
}

/** Whether connections are tracked here already, so that those that are open are known; anybody's rules may want that. */
export const isTracking = (): boolean =>
  Number(ignoring(ENDED, () => readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8')) ?? 0) > 0;

/** What the kernel itself gives an idle connection (nf_conntrack_tcp_timeout_established), in seconds. */
const DAYS = '432000';

/** `ESTAB 0 0 10.0.1.2:39978 203.0.113.10:7777 ino:1234 sk:1 <->` */
const SOCKET = /^\S+\s+\d+\s+\d+\s+([\w.:[\]%]+)\s+([\w.:[\]%]+)\s.*\bino:(\d+)/;

/** ss writes an IPv6 address in brackets, IPv4 within IPv6 as such, and a device behind. */
function endOf(text: string): { address: string; port: string } {
  const [, address = '', port = ''] = /^\[?(?:::ffff:)?([^\]%]+).*:(\d+)$/.exec(text) ?? [];
  return { address, port };
}

/** The inode numbers of a process's sockets; of all its threads: they share them, unless somebody did much for it. */
function socketsOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return (ignoring([...ENDED, 'EACCES', 'EPERM'], () => readdirSync(directory)) ?? []).flatMap((fd) => {
    const target = ignoring([...ENDED, 'EACCES'], () => readlinkSync(`${directory}/${fd}`));
    return /^socket:\[(\d+)\]$/.exec(target ?? '')?.slice(1) ?? [];
  });
}
