import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ignoring } from './cgroup.js';

/** A process's network namespace, as `net:[4026531840]`; undefined if the process has ended or may not be read. */
export function netnsOf(pid: number | 'self'): string | undefined {
  return ignoring(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'], () => readlinkSync(`/proc/${pid}/ns/net`));
}

/** The fields of /proc/PID/stat (proc(5)) after the command name, which may contain anything. Field 0 is the state. */
export const statFields = (line: string): string[] => line.replace(/^.*\) /s, '').split(' ');

/** The same by process id; empty if the process has ended. */
export function statOf(pid: number | 'self'): string[] {
  const line = ignoring(['ENOENT', 'ESRCH', 'EACCES'], () => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return line === undefined ? [] : statFields(line);
}

/** The start time of a process in clock ticks since boot; undefined if it has ended. With it a process id is unique. */
export const startOf = (pid: number | 'self'): string | undefined => startIn(statOf(pid));

/** The start time in those fields. */
export const startIn = (fields: readonly string[]): string | undefined => fields[19];

/**
 * The id of a running thread of a process: its first one, or another if the first has ended. /proc shows nothing for a
 * thread that has ended. Undefined if the process has ended.
 */
export function threadOf(pid: number): number | undefined {
  const runs = (thread: number): boolean => !['Z', 'X', undefined].includes(statOf(thread)[0]);
  if (runs(pid)) return pid;
  const threads = ignoring(['ENOENT', 'ESRCH'], () => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.map(Number).find(runs);
}

/** A process's real, effective, saved and file system user ids (proc(5), status); empty if it has ended. */
export function uidsOf(pid: number): number[] {
  const text = ignoring(['ENOENT', 'ESRCH', 'EACCES'], () => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? '';
  return /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(text)?.slice(1).map(Number) ?? [];
}

/** The path of a file in bin/, the directory of the script that Node runs. */
export const besideUs = (name: string): string => `${dirname(process.argv[1] ?? '')}/${name}`;

/** A process's arguments; undefined if it has ended. */
export const commandLine = (pid: number): string[] | undefined =>
  ignoring(['ENOENT', 'ESRCH'], () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'));

/** The position of our own script in such arguments, behind Node's options; undefined if it is not there. */
export function scriptIn(words: readonly string[]): number | undefined {
  const at = words.slice(0, 4).indexOf(process.argv[1] ?? '', 1);
  return at < 0 ? undefined : at;
}

/**
 * The name of the program file that a process runs, such as `bash`, even if it was started as `sh`. If the file may not
 * be read, the command name of the process. Undefined if the process has ended.
 */
export function programOf(pid: number): string | undefined {
  const path = ignoring(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'], () => readlinkSync(`/proc/${pid}/exe`));
  if (path !== undefined) return basename(path.replace(/ \(deleted\)$/, ''));
  return ignoring(['ENOENT', 'ESRCH', 'EACCES'], () => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd());
}

/** True if a network namespace exists: it has a name (a mount, as of `ip netns`) or a process. */
export function netnsExists(namespace: string): boolean {
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${namespace} `)) return true;
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && netnsOf(Number(name)) === namespace);
}

/** True if the kernel has IPv6. The file is missing if IPv6 is not compiled in or is off by `ipv6.disable=1`. */
export const hasV6 = (): boolean => existsSync('/proc/net/if_inet6');

/** A process's path in the net_cls hierarchy (proc(5), cgroup), as `/via-<uuid>`; undefined if there is no hierarchy. */
export function netClsPath(pid: number | 'self'): string | undefined {
  const text = ignoring(['ENOENT', 'ESRCH'], () => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? '';
  const lines = text.split('\n');
  return lines.map((line) => /^\d+:[^:]*\bnet_cls\b[^:]*:(.*)$/.exec(line)?.[1]).find((path) => path !== undefined);
}

/** True if this process has the effective user id of root. */
export const isRoot = (): boolean => process.geteuid?.() === 0;

/** True if this process is in a group of via, or in a user's child group of one (elevate/own.ts). */
export const isInGroup = (): boolean => /(^|\/)via-[^/]+(\/(u\d+-[\da-f]+|out-u\d+))?$/.test(netClsPath('self') ?? '');

/** True if this process is in a child group of detached processes, whose packets are not marked (elevate/own.ts). */
export const isOutside = (): boolean => /\/out-u\d+$/.test(netClsPath('self') ?? '');

/**
 * The uuid of the group that contains a process, directly or in a child group. Undefined if it is in none, was detached
 * or has ended.
 */
export function groupOfProcess(pid: number | 'self'): string | undefined {
  return /^(?:.*\/)?via-([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?:\/(?!out-u\d+$)|$)/.exec(
    netClsPath(pid) ?? '',
  )?.[1];
}
