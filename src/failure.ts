import { getSystemErrorMap } from 'node:util';

/** What via could not do, in the parts of its one line: `via: <what> <object>: <why> (<hint>)`. */
export class ViaError extends Error {
  override name = 'ViaError';

  constructor(
    what: string,
    object: string,
    why: string,
    /** A hint for the user, and the exit status where it is not via's own 125. */
    extra: { hint?: string; cause?: unknown; status?: number } = {},
  ) {
    const hint = extra.hint === undefined ? '' : ` (${extra.hint})`;
    super(oneLine(`${what}${object === '' ? '' : ` ${object}`}: ${why}${hint}`), { cause: extra.cause });
    this.status = extra.status ?? 125;
  }

  readonly status: number;
}

/** Whether `error` is a ViaError; by name, since each bundled part has a class of its own. */
export function isViaError(error: unknown): error is ViaError {
  return error instanceof Error && error.name === 'ViaError';
}

/** What the system calls an error of its own: `no space left on device`. */
export function wordsOf(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}

/** Text from outside as one printable line: what a terminal would act on becomes escapes. */
export function oneLine(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
