import { spawnSync } from 'node:child_process';
import { wordsOf } from '../failure.js';

/**
 * Runs a program of the user's own session, found by his PATH and with all of his environment, and waits for it, so many
 * milliseconds at most. Gives what went wrong; a program that is not there is no trouble.
 */
export function runInSession([file, ...words]: readonly [string, ...string[]], patience: number): string | undefined {
  const { error, status, stderr } = spawnSync(file, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: patience,
    encoding: 'utf8',
  });
  if (error !== undefined) return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : wordsOf(error);
  return status === 0 ? undefined : stderr.trim().split('\n').at(-1) || `exit status ${status}`;
}
