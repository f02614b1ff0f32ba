import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { signalNumbers } from './numbers.js';
import { pause } from './pause.js';

/** An end as the status that a shell has for it. */
export const statusOf = (outcome: Outcome): number =>
  'signal' in outcome ? 128 + signalNumbers()[outcome.signal] : outcome.code;

/** How a command ended. */
export type Outcome = { readonly code: number } | { readonly signal: NodeJS.Signals };

const WITH_CORE = new Set(['QUIT', 'ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'SEGV', 'XCPU', 'XFSZ', 'SYS'].map(withSig));

/** Ends via as the command ended: with its status, or of its signal, so that our caller sees the same. */
export function endAs(outcome: Outcome): never {
  if ('signal' in outcome) dieOf(outcome.signal);
  // At its exit Node sets a terminal back to what it was at its start, but only on descriptors that are open: what
  // the command has set (stty) stays.
  for (const fd of [0, 1, 2]) closeQuietly(fd);
  process.exit(outcome.code);
}

function dieOf(signal: NodeJS.Signals): never {
  // A core of Node's is no use. 1, not 0: that stops also those that go to a program (core(5)).
  if (WITH_CORE.has(signal)) spawnSync('prlimit', ['--pid', `${process.pid}`, '--core=1:1'], { stdio: 'ignore' });
  // Taking the last listener off gives a signal its default effect, also SIGPIPE and SIGXFSZ, which Node ignores.
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP' && !NOT_OURS.has(signal)) process.on(signal, () => {});
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Still here: the first process of a container cannot kill itself.
  pause(100);
  process.exit(128 + signalNumbers()[signal]);
}

/** libuv refuses a listener, or it is without effect. */
const NOT_OURS = new Set<string>(['BUS', 'FPE', 'SEGV', 'ILL'].map(withSig));

function withSig(name: string): string {
  return `SIG${name}`;
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The command's, and closed by our caller.
  }
}
