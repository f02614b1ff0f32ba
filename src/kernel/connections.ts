import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { quote } from '../plan/render.js';
import { ignoring } from './cgroup.js';
import { besideUs, threadOf } from './proc.js';
import { runTools } from './tools.js';

/** A TCP connection's ends, as addresses and ports. */
interface Connection {
  readonly from: string;
  readonly to: string;
}

/**
 * Makes connection tracking know the TCP connections of these processes, without any mark, where it has only just started
 * and does not: else their next packets would pass for a new connection's, and go by the group's way. What is known
 * already stays as it is: all that are open, where it `wasTracking` before. Gives the error, where it could not be done.
 */
export const keepConnections = (pids: readonly number[], wasTracking = false): ViaError | undefined =>
  track('known', connectionsOf(pids, 'exclude syn-sent'), wasTracking);

/**
 * Has connection tracking forget the TCP connections of these processes that nobody has answered yet: what is sent for
 * them next begins anew, by the way that the process has now. One that was answered meanwhile is known again after that,
 * as it was. Gives the error, where it could not be done.
 */
export function restartAttempts(pids: readonly number[]): ViaError | undefined {
  const attempts = connectionsOf(pids, '', 'syn-sent');
  if (attempts.length === 0) return undefined;
  return track('unknown', attempts) ?? keepConnections(pids);
}

/** Whether connections are tracked here already, so that those that are open are known; anybody's rules may want that. */
export const isTracking = (): boolean =>
  Number(ignoring(ENDED, () => readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8')) ?? 0) > 0;

/** Whether any of these processes has a TCP connection, or tries to make one, that is not to this machine itself. */
export const hasConnections = (pids: readonly number[]): boolean =>
  connectionsOf(pids).some(({ from }) => !LOCAL.test(from));

const LOCAL = /^(127\.|::1 )/;

/** What ss(8) lists of these processes. */
function connectionsOf(pids: readonly number[], but = '', state = 'connected'): Connection[] {
  const inodes = new Set(pids.flatMap((pid) => socketsOf(pid)));
  if (inodes.size === 0) return [];
  const words = ['state', state, ...but.split(' ').filter((word) => word !== '')];
  const [listed] = runTools([{ argv: ['ss', '-tnHOe', ...words] }]) ?? [];
  return (listed?.output ?? '').split('\n').flatMap((line) => {
    const [, local, peer, inode] = SOCKET.exec(line) ?? [];
    if (local === undefined || peer === undefined || inode === undefined || !inodes.has(inode)) return [];
    return [{ from: endOf(local), to: endOf(peer) }];
  });
}

/** `ESTAB 0 0 10.0.1.2:39978 203.0.113.10:7777 ino:1234 sk:1 <->`; without the state where only one is asked for. */
const SOCKET = /^(?:[A-Z]\S*\s+)?\d+\s+\d+\s+(\S+)\s+(\S+)\s.*?\bino:(\d+)/;

/** ss writes an IPv6 address in brackets, IPv4 within IPv6 as such, and a device behind, whose name may hold anything. */
function endOf(text: string): string {
  const [, address = '', port = ''] = /^\[?(?:::ffff:)?([^\]%]+).*:(\d+)$/.exec(text) ?? [];
  return `${address} ${port}`;
}

/** By bin/tracker; that it cannot be run does not matter where all are known. */
function track(what: 'known' | 'unknown', connections: readonly Connection[], areKnown = false): ViaError | undefined {
  if (connections.length === 0) return undefined;
  const input = connections.map(({ from, to }) => `${what} ${from} ${to}\n`).join('');
  const [done] = runTools([{ argv: ['perl', quote(besideUs('tracker'))], input }]) ?? [];
  if (done === undefined || done.status === 127)
    return areKnown
      ? undefined
      : new ViaError('connections', '', `perl not found: ${LOST[what]}`, { hint: 'install perl' });
  const why = done.output.trim().split('\n').slice(0, 2).join('; ');
  return why === '' ? undefined : new ViaError('connections', '', `${why}: ${LOST[what]}`);
}

const LOST = {
  known: 'those that are open and idle may end',
  unknown: 'those that nobody has answered yet may not come about',
} as const;

const ENDED = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

/** The inode numbers of a process's sockets; of all its threads: they share them, unless somebody did much for it. */
function socketsOf(pid: number): string[] {
  const directory = `/proc/${threadOf(pid) ?? pid}/fd`;
  return (ignoring(ENDED, () => readdirSync(directory)) ?? []).flatMap((fd) => {
    const target = ignoring(ENDED, () => readlinkSync(`${directory}/${fd}`));
    return /^socket:\[(\d+)\]$/.exec(target ?? '')?.slice(1) ?? [];
  });
}
