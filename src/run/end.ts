import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { signalNumbers } from './numbers.js';
import { pause } from './pause.js';

/** The exit status that a shell shows for an outcome. */
export const statusOf = (outcome: Outcome): number =>
  'signal' in outcome ? 128 + signalNumbers()[outcome.signal] : outcome.code;

/** The end of a command: its exit status or its signal. */
export type Outcome = { readonly code: number } | { readonly signal: NodeJS.Signals };

const WITH_CORE = new Set(['QUIT', 'ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'SEGV', 'XCPU', 'XFSZ', 'SYS'].map(withSig));

/** Ends via as the command ended, by its status or its signal, so that the caller sees the same. */
export function endAs(outcome: Outcome): never {
  if ('signal' in outcome) dieOf(outcome.signal);
  // At exit Node restores the terminal's settings on open descriptors. Closing them keeps the command's settings (stty).
  for (const fd of [0, 1, 2]) closeQuietly(fd);
  process.exit(outcome.code);
}

function dieOf(signal: NodeJS.Signals): never {
  // A core dump of Node is useless. The limit is 1, because 0 does not stop core dumps that go to a program (core(5)).
  if (WITH_CORE.has(signal)) spawnSync('prlimit', ['--pid', `${process.pid}`, '--core=1:1'], { stdio: 'ignore' });
  // Removing the last listener restores a signal's default action, also of SIGPIPE and SIGXFSZ, which Node ignores.
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP' && !NOT_OURS.has(signal)) process.on(signal, () => {});
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Still here: the first process of a container cannot kill itself.
  pause(100);
  process.exit(128 + signalNumbers()[signal]);
}

/** Signals of faults. Their default action holds without a listener. */
const NOT_OURS = new Set<string>(['BUS', 'FPE', 'SEGV', 'ILL'].map(withSig));

function withSig(name: string): string {
  return `SIG${name}`;
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It was closed by the caller.
  }
}
