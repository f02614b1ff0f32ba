import { readFileSync } from 'node:fs';
import { ignoring } from './cgroup.js';
import { hasV6 } from './proc.js';
import { runTools } from './tools.js';

/** A TCP connection that no process has any more, and of which the other end has not yet taken all. */
export interface Ending {
  /** Its two ends, as ss(8) prints them and takes them. */
  readonly local: string;
  readonly peer: string;
  /** Bytes that the other end has not taken. */
  readonly queued: number;
}

/** The connections of sockets of a class that are at their end. */
export function endingsOf(classId: number): Ending[] {
  if (!hasTcp()) return [];
  const states = ['fin-wait-1', 'closing', 'last-ack'].flatMap((state) => ['state', state]);
  const [done] = runTools([{ argv: ['ss', '-tnHO', '--tos', ...states] }]) ?? [];
  return (done?.output ?? '').split('\n').flatMap((line) => {
    const [, queued, local, peer, id] = LINE.exec(line) ?? [];
    if (local === undefined || peer === undefined || Number(id) !== classId) return [];
    return [{ local, peer, queued: Number(queued) }];
  });
}

/** `LAST-ACK 0 46201 10.0.1.2:39978 203.0.113.10:7777 tos:0 class_id:0x7669004c` */
const LINE = /^\S+\s+\d+\s+(\d+)\s+(\S+)\s+(\S+)\s.*\bclass_id:(\w+)/;

/** Ends them at once, so that nothing more of them is sent (CONFIG_INET_DIAG_DESTROY). */
export function abort(endings: readonly Ending[]): void {
  runTools([{ argv: ['ss', '-tnHK', '-F', '-'], input: filterOf(endings) }]);
}

/**
 * What picks them, for ss(8): `or` binds no less than `and`. Each has a line of its own, for it takes none of 1024 bytes,
 * and then ends nothing.
 */
export const filterOf = (endings: readonly Ending[]): string =>
  `${endings.map(({ local, peer }) => `( src ${local} and dst ${peer} )`).join(' or\n')}\n`;

/** Whether this network namespace has any TCP socket that was used: quicker to read than ss(8) is to start. */
const hasTcp = (): boolean =>
  ['/proc/net/sockstat', ...(hasV6() ? ['/proc/net/sockstat6'] : [])].some((path) => {
    const text = ignoring(['ENOENT'], () => readFileSync(path, 'utf8'));
    return text === undefined || /^TCP6?: inuse [1-9]/m.test(text);
  });
