import { readdirSync, readFileSync, realpathSync, writeSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import { besideUs, startIn, startOf, statFields } from '../kernel/proc.js';
import { quote } from '../plan/render.js';
import { isInherited } from './descriptors.js';
import { variables } from './entry.js';

/** The shell of bin/via, which waits for our answer to become the command. */
export interface Launcher {
  /** Throws where it has ended: then there is nobody to do anything for. */
  check(): void;
  /**
   * Has it join a group, by this file of it (none: it stays where it is), and become the command at its `at`-th word,
   * with these words `ahead` of it.
   * Throws where nobody reads that.
   */
  answer(group: string | undefined, at: number, ahead?: readonly string[]): void;
}

/** The launcher that has started us for this, where there is one; by its line of /proc/PID/stat (proc(5)). */
export function findLauncher(): Launcher | undefined {
  const line = process.env['VIA_EXEC'] ?? '';
  delete process.env['VIA_EXEC'];
  const pid = parseInt(line, 10);
  const began = startIn(statFields(line));
  // Numbers of processes are used again, but not with the same moment of start.
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

/** Tells the launcher that there is nothing to become, and the status to end with, as a shell has it. */
export function tellEnd(status: number): void {
  if (isTold) return;
  try {
    tell([`end ${status}`]);
  } catch {
    // The launcher has ended, so it needs no status.
  }
}

/** It has begun to become the command. */
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
 * What makes the shell's environment (`now`) the one it was started with (`original`), in words of the shell: dash drops
 * names that are no identifiers and adds PWD, bash changes what it knows, and the launcher has variables of its own. Both
 * as environ of proc(5), in Latin-1.
 */
export function corrections(original: string, now: string): string[] {
  const [before, after] = [new Map(Object.entries(variables(original))), new Map(Object.entries(variables(now)))];
  const added = [...after.keys()].filter(
    (name) => !before.has(name) && !name.startsWith('VIA_') && IDENTIFIER.test(name),
  );
  const isChanged = ([name, value]: [string, string]): boolean =>
    /^via_|^VIA_/.test(name) || (after.get(name) !== value && !NODES.test(name));
  const changed = [...before].filter(isChanged);
  // bash would put that back when it executes something.
  const unset = added.includes('SHLVL') ? ['-u SHLVL'] : [];
  const others = changed.filter(([name]) => !PLAIN.test(name));
  const words = [...unset, ...others.map(([name, value]) => quote(`${name}=${value}`))];
  return [
    ...(added.length === 0 ? [] : [`unset -v ${added.join(' ')}`]),
    ...changed.filter(([name]) => PLAIN.test(name)).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...(words.length === 0 ? [] : [NO_VARIABLE, `set -- /usr/bin/env ${words.join(' ')} "$@"`]),
  ];
}

/** What a shell sets to anything, and quicker than env(1) does. */
const PLAIN = /^(OLD)?PWD$/;

/** What the launcher takes from Node only. */
const NODES = /^(NODE_.*|OPENSSL_CONF)$/s;

const IDENTIFIER = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** env takes a command with = for one more variable; nice does not, and 0 changes nothing. */
const NO_VARIABLE = `case $1 in *=* | -*) set -- ${tool('nice')} -n 0 -- "$@" ;; esac`;

/** The shell's own file, where dash does not close it: it had to open it above 9, since all below are the caller's. */
function ownFiles(pid: number): number[] {
  const script = besideUs('via');
  const open = ignoring(['ENOENT', 'EACCES'], () => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return open
    .map(Number)
    .filter((fd) => fd > 9 && isInherited(pid, fd) && pathOf(`/proc/${pid}/fd/${fd}`) === pathOf(script));
}

/** A tool's path, in words of the shell: the caller's PATH is the command's. */
function tool(name: string): string {
  return `"$(PATH=/usr/bin:/bin command -v ${name})"`;
}

/**
 * dash cannot name what is above 9, bash can; it would add to the environment, which env sets as a whole. -p keeps it
 * from running BASH_ENV, and --norc from ~/.bashrc, which it would take for that of a remote login where standard input is
 * a socket.
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
