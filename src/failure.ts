import { getSystemErrorMap } from 'node:util';

/** The errors that callers handle: a process has ended, a group was removed meanwhile, a device does not exist. */
export type Code = 'ended' | 'gone' | 'unknown-device';

/** An error as one line: `via: <what> <object>: <why> (<hint>)`. */
export class ViaError extends Error {
  override name = 'ViaError';

  constructor(
    what: string,
    object: string,
    why: string,
    /** A hint for the user, the exit status if it is not via's own 125, and a code for callers. */
    extra: { hint?: string; cause?: unknown; status?: number; code?: Code } = {},
  ) {
    const hint = extra.hint === undefined ? '' : ` (${extra.hint})`;
    super(oneLine(`${what}${object === '' ? '' : ` ${object}`}: ${why}${hint}`), { cause: extra.cause });
    this.hint = extra.hint;
    this.status = extra.status ?? 125;
    this.code = extra.code;
  }

  readonly hint: string | undefined;
  readonly status: number;
  readonly code: Code | undefined;
}

/** True for a ViaError. It is known by its name, because each bundled part has a class of its own. */
export function isViaError(error: unknown): error is ViaError {
  return error instanceof Error && error.name === 'ViaError';
}

/** The system's message for an error: `no space left on device`. */
export function wordsOf(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}

/** A text as one printable line. Control characters, which a terminal would act on, are escaped. */
export function oneLine(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
