import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ignoreSignals, isIgnored } from '../kernel/ignored.js';
import { statFields } from '../kernel/proc.js';

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPWR'] as const;
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

/** The signals sent to via: kept while there is no command, handed on while it runs, swallowed when it has ended. */
export interface Signals {
  /** Gives the loop time to tell of signals, and the first signal that came; the set-up has to be undone then, and via to die of it. */
  pending(): Promise<NodeJS.Signals | undefined>;
  /** These were ignored when via was called, and stay so. */
  ignore(ignored: ReadonlySet<NodeJS.Signals>): void;
  /** From now on they are the command's. */
  handTo(child: ChildProcess): void;
}

/**
 * Listens; call it first of all, since without a listener Node opens its inspector at a USR1. TSTP, TTIN, TTOU, CONT
 * and WINCH have none: the kernel sends them to the whole group, and a listener would keep us from stopping.
 */
export function watchSignals(): Signals {
  let first: NodeJS.Signals | undefined;
  let act = (signal: NodeJS.Signals): void => void (first ??= signal);
  for (const signal of [...FORWARDED, ...FROM_TERMINAL]) process.on(signal, () => isIgnored(signal) || act(signal));
  return {
    async pending() {
      await turns();
      return first !== undefined && isIgnored(first) ? undefined : first;
    },
    ignore: ignoreSignals,
    handTo(child) {
      // What came since the last look, and is only told now, came before the command was there to get it.
      let early = true;
      void turns().then(() => (early = false));
      act = (signal) => void ((!early && terminalSent(signal, child)) || send(child, signal));
    },
  };
}

/** Two, for the first may be the rest of one that has already looked for signals. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
}

/** Never to a process that was reaped: its number may be another's. */
function send(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(child.pid, signal);
  } catch {
    // It became another user's, or is gone.
  }
}

/** Whether the command has got it from the terminal as we have: in the terminal's foreground group are both of us. */
function terminalSent(signal: NodeJS.Signals, child: ChildProcess): boolean {
  if (!(FROM_TERMINAL as readonly string[]).includes(signal)) return false;
  const ours = groups('self');
  return ours.group === ours.foreground && groups(child.pid ?? 0).group === ours.group;
}

function groups(pid: number | 'self'): { group?: string | undefined; foreground?: string | undefined } {
  try {
    const [, , group, , , foreground] = statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return { group, foreground };
  } catch {
    return {};
  }
}
