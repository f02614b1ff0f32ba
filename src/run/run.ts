import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { stdio } from './descriptors.js';
import type { Outcome } from './end.js';
import type { Entry } from './entry.js';
import { cannotRun } from './failures.js';
import { awaitNofile } from './nofile.js';
import { signalNumbers } from './numbers.js';
import type { Signals } from './signals.js';

/** A command's name and its arguments. */
export type Command = readonly [string, ...string[]];

/**
 * Runs the command with the caller's state, in our process group, and waits for its end. There are no timers, so waiting
 * takes no CPU time. If a signal arrived before the start, it is the outcome, and nothing runs. Throws a ViaError with
 * status 127 if the command is not found, and 126 if it cannot be run.
 */
export async function run(command: Command, entry: Entry, signals: Signals): Promise<Outcome> {
  const words = entry.ignored.size === 0 ? command : ignoring(entry, command);
  awaitNofile(entry);
  const early = await signals.pending();
  if (early !== undefined) return { signal: early };
  const child = signals.handTo(() => start(words, entry));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => child.pid === undefined && reject(cannotRun(words[0], error, entry)));
    child.on('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
  });
}

function start([file, ...args]: Command, entry: Entry): ChildProcess {
  try {
    // Without cwd the command gets our directory, even if that was removed.
    return spawn(file, args, { stdio: stdio(entry.descriptors), env: entry.environment });
  } catch (error) {
    throw cannotRun(file, error as NodeJS.ErrnoException, entry);
  }
}

/** libuv starts every process with default signal actions. GNU env(1) can make it ignore signals again. */
function ignoring({ ignored, environment }: Entry, command: Command): Command {
  const numbers = new Set([...ignored].map((signal) => signalNumbers()[signal]));
  const env = ['env', ...[...numbers].map((number) => `--ignore-signal=${number}`)] as const;
  const works = () => spawnSync(env[0], [...env.slice(1), 'true'], { stdio: 'ignore', env: environment }).status === 0;
  // env takes a name with = for a variable.
  return command[0].includes('=') || !works() ? command : [...env, ...command];
}
