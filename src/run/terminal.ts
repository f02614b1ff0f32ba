import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { statFields } from '../kernel/proc.js';

/**
 * Says whether the terminal may have sent a signal to the command as well. The terminal sends INT, QUIT, TSTP, WINCH and
 * a shell's CONT to all of the foreground group, TTIN and TTOU to all of a group in the background (termios(3)). Node
 * does not tell the sender, so a signal sent to via alone by kill(1) looks the same there.
 */
export function terminalSent(signal: NodeJS.Signals, child: ChildProcess): boolean {
  const where = SENT[signal];
  if (where === undefined) return false;
  const ours = place('self');
  if (ours.terminal === undefined || Number(ours.terminal) <= 0 || place(child.pid ?? 0).group !== ours.group)
    return false;
  return (ours.group === ours.terminal) === (where === 'foreground');
}

/** Says whether a process is stopped now. */
export const isStopped = (pid: number): boolean => place(pid).state === 'T';

/** Says whether a process has a handler of its own for a signal of this number (SigCgt of proc(5)). */
export function catches(pid: number, number: number): boolean {
  const caught = /^SigCgt:\s*\w{8}(\w{8})$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? '0';
  return (parseInt(caught, 16) & (1 << (number - 1))) !== 0;
}

const SENT: Readonly<Partial<Record<NodeJS.Signals, 'foreground' | 'background'>>> = {
  SIGINT: 'foreground',
  SIGQUIT: 'foreground',
  SIGTSTP: 'foreground',
  SIGWINCH: 'foreground',
  SIGCONT: 'foreground',
  SIGTTIN: 'background',
  SIGTTOU: 'background',
};

interface Place {
  readonly state?: string | undefined;
  readonly group?: string | undefined;
  /** The foreground group of its terminal; -1 without a terminal. */
  readonly terminal?: string | undefined;
}

function place(pid: number | 'self'): Place {
  const [state, , group, , , terminal] = statFields(read(`/proc/${pid}/stat`));
  return { state, group, terminal };
}

/** Nothing where the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
