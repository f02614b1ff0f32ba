import test, { type ExecutionContext } from 'ava';
import { run, start, type RunOptions, type Result, type Running } from '../helpers/exec.js';
import { fixture, python, viaBin } from '../helpers/paths.js';

/** via without a network: nothing but the launcher, the main program and src/run. */
export const via = [viaBin, 'none', '--'];

/** For what depends on the working directory, which nsenter(1) changes on the way into a lab. */
export function outside(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (via.includes('none')) test(title, body);
}

/** Whether it becomes the command. */
export const isBecoming = (): boolean => via.includes('-x');

/** What run-under.py sets before it becomes the command. */
export interface Settings {
  environment?: [string, string][];
  descriptors?: Record<number, string>;
  nofile?: [number, number];
  umask?: number;
  ignored?: number[];
  gone?: boolean;
}

/** What run-probe.py saw. */
export interface Seen {
  argv: string[];
  environment: string[];
  cwd: string;
  umask: number;
  nofile: [number, number];
  descriptors: Record<string, string>;
  group: boolean;
  session: boolean;
}

export const probe = [...python, fixture('run-probe.py')];

export function under(settings: Settings, argv: string[]): string[] {
  return [...python, fixture('run-under.py'), JSON.stringify(settings), ...argv];
}

/** What a command sees when it is run with these settings by via, and what it sees without via. */
export async function bothWays(settings: Settings, words: string[] = []): Promise<{ by: Seen; without: Seen }> {
  const [by, without] = await Promise.all(
    [[...via, ...probe], probe].map(async (argv) => {
      const { stdout, stderr } = await run(under(settings, [...argv, ...words]));
      if (stdout === '') throw new Error(stderr);
      return JSON.parse(stdout) as Seen;
    }),
  );
  if (by === undefined || without === undefined) throw new Error('unreachable');
  return { by, without };
}

/** Runs a command by via. */
export function byVia(argv: string[], options?: RunOptions): Promise<Result> {
  return run([...via, ...argv], options);
}

/** Starts a command by via that goes on until the test ends it. */
export function startByVia(argv: string[], options?: RunOptions): Running {
  return start([...via, ...argv], options);
}

/** Prints each signal it gets. */
export const signalCounter = [process.execPath, fixture('signals.mjs')];
