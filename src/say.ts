import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isViaError, oneLine, ViaError, wordsOf } from './failure.js';

/** The one place that writes: to standard output what was asked for, to standard error one line for each error. */
export interface Say {
  /** Throws where it cannot be written (a full disk); half of what was asked for is not success. */
  out(lines: readonly string[]): void;
  /** Changes as they happen, with `-v`. */
  changes(lines: () => readonly string[]): void;
  error(error: unknown): void;
  /** The same while a command runs, which must not wait: what a slow reader has no room for is lost. */
  aside(error: unknown): void;
}

/** `verbose`: changes are told. */
export function makeSay(verbose: boolean): Say {
  return {
    out: (lines) => {
      const error = write(1, lines);
      if (error !== undefined && error.code !== 'EPIPE') {
        throw new ViaError('output', 'standard output', wordsOf(error), { cause: error });
      }
    },
    changes: (lines) => void (verbose && write(2, lines())),
    error: (error) => void write(2, [`via: ${messageOf(error)}`]),
    aside: (error) => writeAside(`via: ${messageOf(error)}\n`),
  };
}

/** Every error that reaches the user is one line; what is not a ViaError is one that nobody thought of. */
export function messageOf(error: unknown): string {
  if (isViaError(error)) return error.message;
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return oneLine(`internal: ${message ?? String(error)}${code === undefined ? '' : ` (${code})`}`);
}

/** Waits where the reader is slow. Gives the error where it cannot go on; a reader that is gone is one (EPIPE). */
function write(fd: number, lines: readonly string[]): NodeJS.ErrnoException | undefined {
  if (lines.length === 0) return undefined;
  let rest = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return error as NodeJS.ErrnoException;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return undefined;
}

/** By a file description of its own: who else has standard error open goes on waiting where it is full. */
function writeAside(line: string): void {
  try {
    const stat = fstatSync(2);
    if (!stat.isFIFO() && !stat.isCharacterDevice()) {
      writeSync(2, line);
      return;
    }
    const fd = openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      writeSync(fd, line);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Full, closed, or nobody reads it.
  }
}
