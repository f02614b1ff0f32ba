import { spawnSync } from 'node:child_process';
import { wordsOf } from '../failure.js';

/**
 * Runs a program of the user's session, with the user's PATH and environment, and waits at most `patience` milliseconds.
 * Returns the error, or undefined on success and also if the program is not installed.
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
