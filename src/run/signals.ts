import type { ChildProcess } from 'node:child_process';
import { ignoreSignals, isIgnored } from '../kernel/ignored.js';
import { makeStops, STOPPING } from './stops.js';
import { terminalSent } from './terminal.js';

const ALWAYS = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPWR', 'SIGINT', 'SIGQUIT'] as const;

/**
 * From the start of the command on. Not CHLD: the kernel sends it to us for the command. Real-time signals have no name
 * in Node. A listener for PIPE and XFSZ stays: Node ignores both, and without it they would have their default effect.
 */
const WITH_COMMAND = [
  ...(['SIGCONT', 'SIGWINCH', 'SIGURG', 'SIGIO', 'SIGPIPE', 'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM', 'SIGPROF'] as const),
  ...(['SIGTRAP', 'SIGABRT', 'SIGSYS', 'SIGSTKFLT'] as const),
];

/**
 * While the command runs only. With a listener, a fault of our own would run its instruction again without end (the
 * documentation of Node, "Signal events"); without one it ends us. While we wait we run next to nothing.
 */
const FAULTS = ['SIGILL', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const;

/** The signals sent to via: kept while there is no command, handed on while it runs, swallowed when it has ended. */
export interface Signals {
  /** Gives the loop time to tell of signals, and the first signal that came; the set-up has to be undone then, and via to die of it. */
  pending(): Promise<NodeJS.Signals | undefined>;
  /** These were ignored when via was called, and stay so. */
  ignore(ignored: ReadonlySet<NodeJS.Signals>): void;
  /** Starts the command and gives it; from then on the signals are the command's. Throws what `start` throws. */
  handTo(start: () => ChildProcess): ChildProcess;
}

/** Listens; call it first of all, since without a listener Node opens its inspector at a USR1. */
export function watchSignals(): Signals {
  let first: NodeJS.Signals | undefined;
  let act = (signal: NodeJS.Signals): void => void (first ??= signal);
  const hear = (signal: NodeJS.Signals): void => void (isIgnored(signal) || act(signal));
  const listen = (signals: readonly NodeJS.Signals[]): void => signals.forEach((signal) => process.on(signal, hear));
  const leave = (signals: readonly NodeJS.Signals[]): void => signals.forEach((signal) => process.off(signal, hear));
  listen(ALWAYS);
  const stops = makeStops(send, (signal, action) => {
    leave([signal]);
    action();
    listen([signal]);
  });
  return {
    async pending() {
      await turns();
      return first !== undefined && isIgnored(first) ? undefined : first;
    },
    ignore: ignoreSignals,
    handTo(start) {
      // Before the start: the command may send one at once.
      listen(WITH_COMMAND);
      listen([...FAULTS, ...STOPPING]);
      const ended = (): void => leave([...FAULTS, ...STOPPING]);
      try {
        const child = start();
        child.once('exit', ended).once('error', ended);
        // What came since the last look, and is only told now, came before the command was there to get it.
        let early = true;
        void turns().then(() => (early = false));
        act = (signal) => {
          if (isStopping(signal)) stops.stop(signal, child);
          else if (signal === 'SIGCONT') stops.wake(child);
          else if (early || !terminalSent(signal, child)) send(child, signal);
        };
        return child;
      } catch (error) {
        ended();
        throw error;
      }
    },
  };
}

/** Two, for the first may be the rest of one that has already looked for signals. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
}

const isStopping = (signal: NodeJS.Signals): boolean => (STOPPING as readonly string[]).includes(signal);

/** Never to a process that was reaped: its number may be another's. */
function send(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(child.pid, signal);
  } catch {
    // It became another user's, or is gone.
  }
}
