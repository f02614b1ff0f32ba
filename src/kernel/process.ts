import { readdirSync, readFileSync, statSync } from 'node:fs';
import { ignoring } from './cgroup.js';
import { commandLine, groupOfProcess, scriptIn, startOf } from './proc.js';

/** A process as others see it. */
export interface Process {
  readonly pid: number;
  /** The name of its user, or the number where it has none. */
  readonly user: string;
  /** The words it was started by, or its name in brackets. */
  readonly command: string;
  /** When it was started. */
  readonly since: Date;
}

const GONE = ['ENOENT', 'ESRCH'];

/** Describes processes; those that have ended meanwhile are left out. */
export function describe(pids: readonly number[]): Process[] {
  if (pids.length === 0) return [];
  const names = userNames();
  const booted = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0);
  return pids.flatMap((pid) => {
    const started = startOf(pid);
    const uid = ignoring(GONE, () => statSync(`/proc/${pid}`).uid);
    const name = ignoring(GONE, () => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd());
    if (started === undefined || uid === undefined || name === undefined) return [];
    const command = asTyped(commandLine(pid) ?? [])
      .join(' ')
      .trimEnd();
    return [
      {
        pid,
        user: names.get(uid) ?? String(uid),
        command: command === '' ? `[${name}]` : command,
        since: new Date((booted + Number(started) / TICKS) * 1000),
      },
    ];
  });
}

/** Of a via that stays, which is Node with our script: what was typed. */
function asTyped(words: readonly string[]): readonly string[] {
  const at = scriptIn(words);
  return at === undefined ? words : ['via', ...words.slice(at + 1)];
}

/** What the kernel tells programs that a second has (USER_HZ; sysconf(3), _SC_CLK_TCK), on every machine Node runs on. */
const TICKS = 100;

/** Every process there is. */
export const processes = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The members of all groups, by the group's uuid, as anybody may see them: from /proc alone. */
export function membersByGroup(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const pid of processes()) {
    const uuid = groupOfProcess(pid);
    if (uuid !== undefined) found.set(uuid, [...(found.get(uuid) ?? []), pid]);
  }
  return found;
}

/**
 * Whether a process is in our network namespace, also where /proc/PID/ns is not ours to read: a file below /proc/PID/net
 * is another one in each.
 */
export function sharesNetwork(pid: number): boolean {
  const inode = (who: number | 'self') =>
    ignoring([...GONE, 'EACCES', 'EINVAL'], () => statSync(`/proc/${who}/net/dev`).ino);
  const other = inode(pid);
  return other !== undefined && other === inode('self');
}

/** passwd(5); who comes from elsewhere stays a number, for asking would take a program. */
function userNames(): Map<number, string> {
  const text = ignoring(['ENOENT', 'EACCES'], () => readFileSync('/etc/passwd', 'utf8')) ?? '';
  return new Map(
    text.split('\n').flatMap((line) => {
      const [name = '', , uid] = line.split(':');
      return uid === undefined || uid === '' ? [] : [[Number(uid), name] as const];
    }),
  );
}
