import type { ChildProcess } from 'node:child_process';
import { signalNumbers } from './numbers.js';
import { catches, isStopped, terminalSent } from './terminal.js';

/** The signals that stop a process and that it may handle. */
export const STOPPING = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;

/** Sends a signal to the command. */
type Send = (child: ChildProcess, signal: NodeJS.Signals) => void;

/** Stops and wakes the command and via together. */
export interface Stops {
  /** Hands a signal of STOPPING on, and stops via until a CONT comes. */
  stop(signal: NodeJS.Signals, child: ChildProcess): void;
  /** Hands a CONT on where the command has not got it with us. */
  wake(child: ChildProcess): void;
}

/**
 * Makes them; `send` hands a signal on. `unheard` runs an action while via has no listener for a signal, so that the
 * kernel's default action applies.
 */
export function makeStops(send: Send, unheard: (signal: NodeJS.Signals, act: () => void) => void): Stops {
  let stoppedBy: 'terminal' | 'sender' | undefined;
  return {
    stop(signal, child) {
      const byTerminal = terminalSent(signal, child);
      // For a command without a handler one more does nothing: CONT takes back what waits (signal(7)). With a handler
      // the command would stop once more after that.
      if (!byTerminal || !catches(child.pid ?? 0, signalNumbers()[signal])) send(child, signal);
      stoppedBy = byTerminal ? 'terminal' : 'sender';
      // In a group without a shell that can wake it, the terminal stops nothing, and the kernel knows that.
      if (byTerminal) unheard(signal, () => process.kill(process.pid, signal));
      else process.kill(process.pid, 'SIGSTOP');
    },
    wake(child) {
      const fromShell = stoppedBy === 'terminal' || (stoppedBy === undefined && terminalSent('SIGCONT', child));
      stoppedBy = undefined;
      if (!fromShell || isStopped(child.pid ?? 0)) send(child, 'SIGCONT');
    },
  };
}
