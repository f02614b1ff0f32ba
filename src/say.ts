import { writeSync } from 'node:fs';
import { isViaError, oneLine } from './failure.js';

/** The one place that writes: to standard output what was asked for, to standard error one line for each error. */
export interface Say {
  out(lines: readonly string[]): void;
  /** Changes as they happen, with `-v`. */
  changes(lines: () => readonly string[]): void;
  error(error: unknown): void;
}

/** `verbose`: changes are told. */
export function makeSay(verbose: boolean): Say {
  return {
    out: (lines) => write(1, lines),
    changes: (lines) => (verbose ? write(2, lines()) : undefined),
    error: (error) => write(2, [`via: ${messageOf(error)}`]),
  };
}

/** Every error that reaches the user is one line; what is not a ViaError is one that nobody thought of. */
function messageOf(error: unknown): string {
  if (isViaError(error)) return error.message;
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return oneLine(`internal: ${message ?? String(error)}${code === undefined ? '' : ` (${code})`}`);
}

/** Waits where the reader is slow; a reader that is gone is no reason to fail. */
function write(fd: number, lines: readonly string[]): void {
  if (lines.length === 0) return;
  let rest = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
