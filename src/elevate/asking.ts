import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { oneLine, ViaError, wordsOf } from '../failure.js';
import { INTERRUPTING } from '../kernel/ignored.js';
import { besideUs, startOf } from '../kernel/proc.js';
import { runAsRoot } from '../kernel/trusted.js';
import type { Elevate } from '../request.js';
import { documentText, type Document } from './document.js';
import { chooseElevator, findProgram, hasTerminal, type Elevator } from './elevators.js';
import { refuseHere, rootsNode } from './obstacles.js';

/** What root has done. */
export interface Answer {
  /** The directory of the group that was made, where one was. */
  readonly path: string;
  readonly changes: readonly string[];
  /** What could not be done, beside the rest. */
  readonly errors: readonly string[];
}

/** What is asked for; who asks is added. */
export type Wanted = Omit<Document, 'pid' | 'start'>;

/** Of whoever calls us. */
export interface Asking {
  readonly elevate: Elevate;
  /** Called as soon as root says what it has made, which it keeps until this is done; it may throw. */
  readonly act: (answer: Answer) => void;
  readonly isIgnored: (signal: NodeJS.Signals) => boolean;
}

/** Has root do something for us (bin/setup). Throws where nobody gives root's rights, and what the set-up throws. */
export async function askSetup(wanted: Wanted, { elevate, act, isIgnored }: Asking): Promise<Answer> {
  const setup = besideUs('setup');
  refuseHere([setup, `${setup}.cjs`, besideUs('../dist/setup.cjs'), ...runAsRoot(), rootsNode()]);
  const surroundings = {
    hasTerminal: hasTerminal(),
    isGraphical: Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']),
    find: findProgram,
  };
  const elevator = chooseElevator(elevate as Exclude<Elevate, 'none'>, surroundings);
  const document = { pid: process.pid, start: startOf('self') ?? '', ...wanted };
  return ask(elevator, realpathSync(setup), { document, act, isIgnored });
}

/**
 * Has the set-up run, and acts as soon as it answers; it keeps the group until then. Waits for its end, so that the
 * terminal is as it was. Neither it nor the one that asks for a password gets anything of our standard streams.
 */
async function ask(
  { name, argv, asks }: Elevator,
  setup: string,
  { document, act, isIgnored }: Pick<Asking, 'act' | 'isIgnored'> & { readonly document: Document },
): Promise<Answer> {
  const [file, ...words] = [...argv, setup];
  const child = spawn(file ?? '', words, { stdio: ['pipe', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  let answer: Answer | undefined;
  let failure: unknown;
  let stopped = false;
  let again: NodeJS.Timeout | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    if (isIgnored(signal)) return;
    stopped = true;
    for (const stream of child.stdio) stream?.destroy();
    child.kill();
    // sudo goes on waiting where it gets one between its prompt and its reading.
    again ??= setInterval(() => child.kill(), 50);
  };
  for (const signal of INTERRUPTING) process.on(signal, stop);
  // One that ends before it has read all says why by itself.
  child.stdin.on('error', () => {});
  child.stdin.write(documentText(document));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if ((texts.out += text).length > LONGEST_ANSWER) return child.stdout.destroy();
    if (!texts.out.includes('\n') || answer !== undefined || failure !== undefined) return undefined;
    try {
      const read = readAnswer(texts.out);
      act(read);
      answer = read;
    } catch (error) {
      failure = error;
    }
    child.stdin.end();
    return undefined;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.err = (texts.err + text).slice(-4096)));
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    // Also where it may not be signalled.
    child.on('error', (error) => reject(new ViaError('elevation', name, wordsOf(error), { cause: error })));
    child.once('close', (status, signal) => resolve(signal ?? status ?? 0));
  });
  const status = await ended.finally(() => {
    clearInterval(again);
    for (const signal of INTERRUPTING) process.off(signal, stop);
  });
  if (stopped) throw new ViaError('elevation', name, 'interrupted');
  if (failure !== undefined) throw failure;
  if (answer === undefined) throw refusal(name, texts.err, status, asks);
  return answer;
}

/** What a group's making tells, with all that was changed. */
const LONGEST_ANSWER = 1 << 20;

/** The set-up's answer; it throws what the set-up has thrown. */
function readAnswer(text: string): Answer {
  const read = JSON.parse(text.slice(0, text.indexOf('\n'))) as Partial<Answer> & { error?: string };
  const { path = '', changes = [], errors = [], error } = read;
  if (error !== undefined) throw errorOf(error);
  return { path, changes, errors };
}

/** An error that root has put into words. */
export function errorOf(text: string): ViaError {
  const [, what = 'set-up', why = ''] = /^(.*?): (.*)$/s.exec(text) ?? [];
  return new ViaError(what, '', why);
}

/** In the last words of whoever has refused. */
function refusal(name: string, said: string, status: number | NodeJS.Signals, asks: boolean): ViaError {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/^(=|\s*This incident )/.test(line));
  const words = (lines.at(-1) ?? '').replace(/^(sudo|pkexec|via): /, '').trim();
  // As it ends where the set-up was killed.
  if (words === '' && typeof status === 'string') return new ViaError('elevation', name, `killed by ${status}`);
  const why = words === '' ? `refused (exit status ${status})` : words;
  const hint =
    asks || name !== 'sudo' ? 'see via(1), WITHOUT ROOT' : 'there is no terminal to ask on; see via(1), WITHOUT ROOT';
  return new ViaError('elevation', name, oneLine(why), { hint });
}
