import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isViaError, oneLine, ViaError, wordsOf } from './failure.js';

/** The only code that writes to standard output (results) and standard error (one line for each error). */
export interface Say {
  /** Writes results. Throws if they cannot be written as a whole, for example on a full disk. */
  out(lines: readonly string[]): void;
  /** Writes changes as they happen, with `-v`. */
  changes(lines: () => readonly string[]): void;
  error(error: unknown): void;
  /** Writes an error while a command runs. It never blocks: if the reader is slow, the line is lost. */
  aside(error: unknown): void;
}

/** Makes it. With `verbose` changes are written. */
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

/** An error as one line. An error that is no ViaError is unexpected, and marked as internal. */
export function messageOf(error: unknown): string {
  if (isViaError(error)) return error.message;
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return oneLine(`internal: ${message ?? String(error)}${code === undefined ? '' : ` (${code})`}`);
}

/** Writes lines and waits for a slow reader. Returns the error if it fails, such as EPIPE if the reader has ended. */
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

/** Writes by a file description of its own, so that O_NONBLOCK does not affect other processes with this standard error. */
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
    // Full, closed, or without a reader.
  }
}
