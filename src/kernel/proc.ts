import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ignoring } from './cgroup.js';

/** A process's network namespace, as `net:[4026531840]`; undefined where the process is gone or not ours to ask. */
export function netnsOf(pid: number | 'self'): string | undefined {
  return ignoring(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'], () => readlinkSync(`/proc/${pid}/ns/net`));
}

/** The fields of a process's line of /proc/PID/stat (proc(5)) behind its name, which may hold anything: the state is 0. */
export const statFields = (line: string): string[] => line.replace(/^.*\) /s, '').split(' ');

/** The same by its number; none where it is gone. */
export function statOf(pid: number | 'self'): string[] {
  const line = ignoring(['ENOENT', 'ESRCH', 'EACCES'], () => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return line === undefined ? [] : statFields(line);
}

/** When a process was started, in ticks since the boot: with it, a number is one process's. Undefined where it is gone. */
export const startOf = (pid: number | 'self'): string | undefined => startIn(statOf(pid));

/** The same by those fields. */
export const startIn = (fields: readonly string[]): string | undefined => fields[19];

/**
 * The number by which a process is looked at: its own, or where its first thread has ended and others have not, that of one
 * of these, for what the kernel shows of the first is nothing then. Undefined where the process has ended.
 */
export function threadOf(pid: number): number | undefined {
  const runs = (thread: number): boolean => !['Z', 'X', undefined].includes(statOf(thread)[0]);
  if (runs(pid)) return pid;
  const threads = ignoring(['ENOENT', 'ESRCH'], () => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.map(Number).find(runs);
}

/** A process's real, effective, saved and file system user id (proc(5), status); none where it is gone. */
export function uidsOf(pid: number): number[] {
  const text = ignoring(['ENOENT', 'ESRCH', 'EACCES'], () => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? '';
  return /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(text)?.slice(1).map(Number) ?? [];
}

/** A file that lies beside the script that Node runs: in bin/. */
export const besideUs = (name: string): string => `${dirname(process.argv[1] ?? '')}/${name}`;

/** The words by which a process was started; undefined where it is gone. */
export const commandLine = (pid: number): string[] | undefined =>
  ignoring(['ENOENT', 'ESRCH'], () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'));

/** Where in such words our own script is, which comes right after Node's own options; undefined where it is not. */
export function scriptIn(words: readonly string[]): number | undefined {
  const at = words.slice(0, 4).indexOf(process.argv[1] ?? '', 1);
  return at < 0 ? undefined : at;
}

/**
 * The name of the program that a process runs, `bash`, also where it was called by another name (sh); of somebody else's
 * process, whose program may not be seen, what it is called. Undefined where it is gone.
 */
export function programOf(pid: number): string | undefined {
  const path = ignoring(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'], () => readlinkSync(`/proc/${pid}/exe`));
  if (path !== undefined) return basename(path.replace(/ \(deleted\)$/, ''));
  return ignoring(['ENOENT', 'ESRCH', 'EACCES'], () => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd());
}

/** Whether a network namespace with this number exists: it has a name (a mount, as of `ip netns`), or a process. */
export function netnsExists(namespace: string): boolean {
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${namespace} `)) return true;
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && netnsOf(Number(name)) === namespace);
}

/** Whether the kernel has IPv6; the file is missing where it is compiled out or off by `ipv6.disable=1`. */
export const hasV6 = (): boolean => existsSync('/proc/net/if_inet6');

/** A process's directory in the net_cls hierarchy (proc(5), cgroup), as `/via-<uuid>`; undefined where none is mounted. */
export function netClsPath(pid: number | 'self'): string | undefined {
  const text = ignoring(['ENOENT', 'ESRCH'], () => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? '';
  const lines = text.split('\n');
  return lines.map((line) => /^\d+:[^:]*\bnet_cls\b[^:]*:(.*)$/.exec(line)?.[1]).find((path) => path !== undefined);
}

/** Whether we have root's rights. */
export const isRoot = (): boolean => process.geteuid?.() === 0;

/** Whether this process is in a group of ours, or in what a user joins in one (elevate/own.ts). */
export const isInGroup = (): boolean => /(^|\/)via-[^/]+(\/(u\d+-[\da-f]+|out-u\d+))?$/.test(netClsPath('self') ?? '');

/** Whether what it sends goes the usual way though it is in one: a user has left it (elevate/own.ts). */
export const isOutside = (): boolean => /\/out-u\d+$/.test(netClsPath('self') ?? '');

/**
 * The uuid of the group that a process is in, or in a child group of which; undefined where it is in none, has left it, or
 * is gone.
 */
export function groupOfProcess(pid: number | 'self'): string | undefined {
  return /^(?:.*\/)?via-([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?:\/(?!out-u\d+$)|$)/.exec(
    netClsPath(pid) ?? '',
  )?.[1];
}
