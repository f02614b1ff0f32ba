import { readFileSync } from 'node:fs';
import { ignoring } from './cgroup.js';
import { hasV6 } from './proc.js';
import { runTools, type Job } from './tools.js';

/** A TCP connection without a process, whose peer has not yet taken everything. */
export interface Ending {
  /** Its two ends, as ss(8) prints and takes them. */
  readonly local: string;
  readonly peer: string;
  /** The bytes that the peer has not taken. */
  readonly queued: number;
}

/** The connections of a class without a process that still send. */
export function endingsOf(classId: number): Ending[] {
  if (!hasTcp()) return [];
  const done = runTools([plain, ...(hasMptcp() ? [multipath, subflows] : [])]) ?? [];
  const [tcp = [], mptcp = [], flows = []] = done.map(({ output }) => output.split('\n'));
  return [...tcp.flatMap((line) => plainEnding(line, classId)), ...multipathEndings(mptcp, flows, classId)];
}

const states = ['fin-wait-1', 'closing', 'last-ack'].flatMap((state) => ['state', state]);
const plain: Job = { argv: ['ss', '-tnHO', '--tos', ...states] };

/** `LAST-ACK 0 46201 10.0.1.2:39978 203.0.113.10:7777 tos:0 class_id:0x7669004c` */
function plainEnding(line: string, classId: number): Ending[] {
  const [, queued, local, peer, id] = /^\S+\s+\d+\s+(\d+)\s+(\S+)\s+(\S+)\s.*\bclass_id:(\w+)/.exec(line) ?? [];
  if (local === undefined || peer === undefined || Number(id) !== classId) return [];
  return [{ local, peer, queued: Number(queued) }];
}

/*
 * Multipath TCP (RFC 8684): close() leaves a connection without a process (ino:0), whose TCP subflows stay established
 * until the peer has everything. The subflows have a process's inode to the last. A subflow is known by the token of its
 * connection, because one that the kernel adds later may have no class.
 */
const multipath: Job = { argv: ['ss', '-MnHOei', '--tos'] };
const subflows: Job = { argv: ['ss', '-tnHOi'] };

/** `FIN-WAIT-1 0 0 10.0.1.2:41378 203.0.113.10:7004 ... ino:0 ... class_id:0x3039 ... token:e93e write_seq:96 snd_una:95` */
function multipathEndings(lines: readonly string[], flows: readonly string[], classId: number): Ending[] {
  return lines.flatMap((line) => {
    const word = (name: string): string | undefined => new RegExp(`\\b${name}:(\\w+)`).exec(line)?.[1];
    const token = word('token');
    if (word('ino') !== '0' || Number(word('class_id')) !== classId || token === undefined) return [];
    const [next, acknowledged] = [word('write_seq'), word('snd_una')].map((text) => BigInt(`0x${text ?? 0}`));
    const queued = Number(BigInt.asUintN(64, next! - acknowledged!));
    return flows.flatMap((flow) => {
      const [, local, peer] = /^\S+\s+\d+\s+\d+\s+(\S+)\s+(\S+)\s.*\btcp-ulp-mptcp\b/.exec(flow) ?? [];
      const isOf = new RegExp(`\\btoken:(\\w+\\(id:\\d+\\)/${token}|${token}\\(id:\\d+\\)/)`).test(flow);
      return local === undefined || peer === undefined || !isOf ? [] : [{ local, peer, queued }];
    });
  });
}

/** Ends them at once, so that they send nothing more (CONFIG_INET_DIAG_DESTROY). */
export function abort(endings: readonly Ending[]): void {
  runTools([{ argv: ['ss', '-tnHK', '-F', '-'], input: filterOf(endings) }]);
}

/**
 * The filter for ss(8) that matches them: `or` binds as strongly as `and`. Each has a line of its own, because ss takes no
 * line of 1024 bytes.
 */
export const filterOf = (endings: readonly Ending[]): string =>
  `${endings.map(({ local, peer }) => `( src ${local} and dst ${peer} )`).join(' or\n')}\n`;

/** True if this network namespace has TCP sockets in use. Reading this is faster than starting ss(8). */
const hasTcp = (): boolean =>
  ['/proc/net/sockstat', ...(hasV6() ? ['/proc/net/sockstat6'] : [])].some((path) => {
    const text = ignoring(['ENOENT'], () => readFileSync(path, 'utf8'));
    return text === undefined || /^TCP6?: inuse [1-9]/m.test(text);
  });

/** True if it has Multipath TCP sockets: `MPTCPv6 1656 2 ...`. */
const hasMptcp = (): boolean =>
  /^MPTCP(v6)?\s+\d+\s+[1-9]/m.test(ignoring(['ENOENT'], () => readFileSync('/proc/net/protocols', 'utf8')) ?? '');
