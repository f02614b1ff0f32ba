import { readdirSync, readFileSync, realpathSync, writeSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import { besideUs, startIn, startOf, statFields } from '../kernel/proc.js';
import { quote } from '../plan/render.js';
import { isInherited } from './descriptors.js';
import { variables } from './entry.js';

/** The shell of bin/via, which waits for our answer and then becomes the command. */
export interface Launcher {
  /** Throws if it has ended. */
  check(): void;
  /**
   * Makes it join a group by this file (without one it stays where it is), and become the command at its argument number
   * `at`, with the words `ahead` before it. Throws if it has ended.
   */
  answer(group: string | undefined, at: number, ahead?: readonly string[]): void;
}

/** The launcher that started us, identified by its line of /proc/PID/stat (proc(5)); undefined without one. */
export function findLauncher(): Launcher | undefined {
  const line = process.env['VIA_EXEC'] ?? '';
  delete process.env['VIA_EXEC'];
  const pid = parseInt(line, 10);
  const began = startIn(statFields(line));
  // Process ids are reused, but not with the same start time.
  const isThere = (): boolean => startOf(pid) === began;
  if (began === undefined || !isThere()) return undefined;
  return {
    check() {
      if (!isThere()) throw new ViaError('launcher', `process ${pid}`, 'has ended before the command could start');
    },
    answer(group, at, ahead = []) {
      const original = ignoring(['ENOENT', 'EACCES'], () => readFileSync(`/proc/${pid}/environ`, 'latin1'));
      const now = readFileSync('/proc/self/environ', 'latin1');
      const ours = ownFiles(pid);
      const first = ahead.length === 0 ? [] : [`set -- ${ahead.map(quote).join(' ')} "$@"`];
      const rest = ours.length > 0 ? closing(ours, original ?? now) : corrections(original ?? now, now);
      const words = [...first, ...rest];
      isTold = true;
      tell([`become ${words.length > 0 ? 1 : 0} ${at} ${group ?? ''}`, ...words]);
    },
  };
}

/** Tells the launcher to end with this status, as a shell shows it. */
export function tellEnd(status: number): void {
  if (isTold) return;
  try {
    tell([`end ${status}`]);
  } catch {
    // The launcher has ended, so it needs no status.
  }
}

/** The launcher was told to become the command. */
let isTold = false;

/** The launcher reads until it has what it needs. Throws if it has ended. */
function tell(lines: readonly string[]): void {
  let rest = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1');
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
  } catch (error) {
    throw new ViaError('launcher', '', `has ended: ${wordsOf(error)}`, { cause: error });
  }
}

/**
 * The shell words that restore the environment that the shell was started with (`original`) from its present one (`now`).
 * dash drops names that are no identifiers and adds PWD, bash changes its own variables, and the launcher has variables of
 * its own. Both are texts of environ (proc(5)) in Latin-1.
 */
export function corrections(original: string, now: string): string[] {
  const [before, after] = [new Map(Object.entries(variables(original))), new Map(Object.entries(variables(now)))];
  const added = [...after.keys()].filter(
    (name) => !before.has(name) && !name.startsWith('VIA_') && IDENTIFIER.test(name),
  );
  const isChanged = ([name, value]: [string, string]): boolean =>
    /^via_|^VIA_/.test(name) || (after.get(name) !== value && !NODES.test(name));
  const changed = [...before].filter(isChanged);
  // bash adds it again when it executes a program.
  const unset = added.includes('SHLVL') ? ['-u SHLVL'] : [];
  const others = changed.filter(([name]) => !PLAIN.test(name));
  const words = [...unset, ...others.map(([name, value]) => quote(`${name}=${value}`))];
  return [
    ...(added.length === 0 ? [] : [`unset -v ${added.join(' ')}`]),
    ...changed.filter(([name]) => PLAIN.test(name)).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...(words.length === 0 ? [] : [NO_VARIABLE, `set -- /usr/bin/env ${words.join(' ')} "$@"`]),
  ];
}

/** Names that a shell can set by itself, which is faster than env(1). */
const PLAIN = /^(OLD)?PWD$/;

/** Variables that the launcher hides from Node only. */
const NODES = /^(NODE_.*|OPENSSL_CONF)$/s;

const IDENTIFIER = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** env takes a command with = for a variable. nice does not, and `-n 0` changes nothing. */
const NO_VARIABLE = `case $1 in *=* | -*) set -- ${tool('nice')} -n 0 -- "$@" ;; esac`;

/** The shell's script, which dash leaves open above 9 if all lower descriptors are the caller's. */
function ownFiles(pid: number): number[] {
  const script = besideUs('via');
  const open = ignoring(['ENOENT', 'EACCES'], () => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return open
    .map(Number)
    .filter((fd) => fd > 9 && isInherited(pid, fd) && pathOf(`/proc/${pid}/fd/${fd}`) === pathOf(script));
}

/** The shell words for a tool's path. The caller's PATH is the command's and is not used. */
function tool(name: string): string {
  return `"$(PATH=/usr/bin:/bin command -v ${name})"`;
}

/**
 * bash can close descriptors above 9, which dash cannot. env sets the whole environment, because bash would add to it. -p
 * keeps bash from running BASH_ENV, and --norc from reading ~/.bashrc, which it does if standard input is a socket.
 */
function closing(descriptors: readonly number[], original: string): string[] {
  const words = Object.entries(variables(original)).map(([name, value]) => quote(`${name}=${value}`));
  const close = descriptors.map((fd) => `${fd}<&-`).join(' ');
  return [
    NO_VARIABLE,
    `set -- ${tool('bash')} --norc -pc 'exec ${close}; exec "$@"' bash /usr/bin/env -i ${words.join(' ')} "$@"`,
  ];
}

const pathOf = (path: string): string | undefined => ignoring(['ENOENT', 'EACCES'], () => realpathSync(path));
