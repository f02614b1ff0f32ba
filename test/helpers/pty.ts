import { start, type RunOptions, type Running } from './exec.js';
import type { Lab } from './lab.js';
import { fixture, python } from './paths.js';

/** A program under a terminal of its own: stdout is what one sees, stderr included. */
export interface Terminal {
  program: Running;
  /** Types; a control character is what its key sends, such as \x03 for ^C and \x1a for ^Z. */
  type(text: string): void;
  /** Waits for what is shown from now on, or since the last `see` ended. */
  see(pattern: RegExp, timeout?: number): Promise<RegExpMatchArray>;
  resize(rows: number, columns: number): void;
}

/** Starts a program under a terminal on the lab's client; its end is `program.done`. */
export function pty(lab: Lab, argv: string[], options: RunOptions = {}): Terminal {
  return terminal(lab.command('client', terminalCommand(argv), options.cwd), options);
}

/** The same outside any lab. */
export function localPty(argv: string[], options: RunOptions = {}): Terminal {
  return terminal(terminalCommand(argv), options);
}

function terminalCommand(argv: string[]): string[] {
  return [...python, fixture('pty.py'), ...argv];
}

function terminal(command: string[], options: RunOptions): Terminal {
  const program = start(command, { ...options, extra: ['pipe'] });
  const sizes = program.child.stdio[3] as NodeJS.WritableStream;
  let seen = 0;
  return {
    program,
    type: (text) => program.write(text),
    async see(pattern, timeout = 5000) {
      const match = await program.waitFor(pattern, { timeout, from: seen });
      seen += (match.index ?? 0) + match[0].length;
      return match;
    },
    resize: (rows, columns) => sizes.write(`${rows} ${columns}\n`),
  };
}
