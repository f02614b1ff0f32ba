import { readdirSync, readFileSync, statSync } from 'node:fs';
import { ignoring } from './cgroup.js';
import { commandLine, groupOfProcess, scriptIn, startOf } from './proc.js';

/** A process as `via status` shows it. */
export interface Process {
  readonly pid: number;
  /** The name of its user, or the user id if that has no name. */
  readonly user: string;
  /** Its arguments, or its command name in brackets. */
  readonly command: string;
  /** Its start time. */
  readonly since: Date;
}

const GONE = ['ENOENT', 'ESRCH'];

/** Describes processes, without those that have ended meanwhile. */
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

/** The command line of a via that waits for its command: without Node and our script, as it was typed. */
function asTyped(words: readonly string[]): readonly string[] {
  const at = scriptIn(words);
  return at === undefined ? words : ['via', ...words.slice(at + 1)];
}

/** Clock ticks a second (USER_HZ; sysconf(3), _SC_CLK_TCK). It is the same on every machine that Node supports. */
const TICKS = 100;

/** The ids of all processes. */
export const processes = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The members of all groups, by the group's uuid. Reads only /proc, so it works without root. */
export function membersByGroup(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const pid of processes()) {
    const uuid = groupOfProcess(pid);
    if (uuid !== undefined) found.set(uuid, [...(found.get(uuid) ?? []), pid]);
  }
  return found;
}

/**
 * True if a process is in our network namespace. Works also where /proc/PID/ns may not be read: a file under
 * /proc/PID/net has another inode in each network namespace.
 */
export function sharesNetwork(pid: number): boolean {
  const inode = (who: number | 'self') =>
    ignoring([...GONE, 'EACCES', 'EINVAL'], () => statSync(`/proc/${who}/net/dev`).ino);
  const other = inode(pid);
  return other !== undefined && other === inode('self');
}

/** User names from passwd(5). Other sources would need a process (getent), so their users are shown by number. */
function userNames(): Map<number, string> {
  const text = ignoring(['ENOENT', 'EACCES'], () => readFileSync('/etc/passwd', 'utf8')) ?? '';
  return new Map(
    text.split('\n').flatMap((line) => {
      const [name = '', , uid] = line.split(':');
      return uid === undefined || uid === '' ? [] : [[Number(uid), name] as const];
    }),
  );
}
