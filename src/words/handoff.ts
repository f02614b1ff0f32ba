import { readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import { processes, sharesNetwork } from '../kernel/process.js';
import { commandLine, groupOfProcess } from '../kernel/proc.js';
import type { HandOff } from '../plan/handoff.js';
import type { Say } from '../say.js';

/**
 * Prints the note for a program that hands its work over. A program that only does so while another process runs gives no
 * note if that process does not exist or is in the group.
 */
export function tellHandOff({ name, running, why, hint }: HandOff, gateway: string, uuid: string, say: Say): void {
  const pid = running === undefined ? undefined : runsOutside(running, uuid);
  if (running !== undefined && pid === undefined) return;
  say.error(
    new ViaError('command', name, why, {
      hint: hint.replace('GATEWAY', gateway).replace('PID', String(pid ?? '<pid>')),
    }),
  );
}

/** The process with the lowest id of these programs that is not in the group. The others are its children. */
function runsOutside(names: readonly string[], uuid: string): number | undefined {
  const isOne = (pid: number): boolean => programsOf(pid).some((name) => names.includes(name));
  return processes()
    .sort((a, b) => a - b)
    .find((pid) => isOne(pid) && groupOfProcess(pid) !== uuid && sharesNetwork(pid));
}

/** The names of a process's program: its command name, and its first argument. */
function programsOf(pid: number): string[] {
  const comm = ignoring(['ENOENT', 'ESRCH'], () => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()) ?? '';
  const word = commandLine(pid)?.[0] ?? '';
  return [comm, word.slice(word.lastIndexOf('/') + 1)];
}
