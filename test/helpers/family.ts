import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Lab } from './lab.js';

/** How many of the kernel's ticks are a second: USER_HZ, the same on all that Node runs on. */
const HZ = 100;

interface Stat {
  pid: number;
  parent: number;
  /** Of the process and of those children that it has waited for. */
  seconds: number;
}

/** The keepers of a lab with all that they have started, and so on: whoever watches for them, and what mends. */
export function familyOf(lab: Lab): Stat[] {
  const all = lab.walls.members().flatMap((pid) => statOf(pid));
  const found = new Set(lab.keepers().map(({ pid }) => pid));
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  const once = new Map(all.map((one) => [one.pid, one]));
  return [...once.values()].filter(({ pid }) => found.has(pid));
}

/** The seconds of the processor that they have taken, also those that have ended. */
export const cpuOf = (lab: Lab): number => sum(familyOf(lab).map(({ seconds }) => seconds));

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Whether the keepers have such a child or grandchild: a program, and a word of its command line. */
export const runs = (lab: Lab, program: string, word: string): boolean =>
  familyOf(lab).some(({ pid }) => {
    const [name = '', ...words] = argvOf(pid);
    return basename(name) === program && words.includes(word);
  });

export function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // Gone since the list was read.
  }
}

function statOf(pid: number): Stat[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // proc_pid_stat(5), from the third field on: utime, stime, cutime and cstime are the 14th to the 17th.
    const [user = 0, system = 0, ...ended] = fields.slice(11, 15).map((field) => Number(field) / HZ);
    // In nanoseconds, of its first thread: of what waits most of the time, a tick is long.
    const exact = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
    return [{ pid, parent: Number(fields[1]), seconds: Math.max(user + system, exact) + sum(ended) }];
  } catch {
    return [];
  }
}
