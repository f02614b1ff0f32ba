import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { quote } from '../plan/render.js';
import { RUNTIME } from '../plan/files.js';
import { removeFile } from './place.js';
import type { Hierarchy } from './hierarchy.js';
import { besideUs } from './proc.js';

const ABSENT = ['ENOENT', 'ENOTDIR'];

/**
 * Whether a keeper has this FIFO open: opening it for writing works then, and only then (fifo(7)). False also for what
 * is no FIFO; undefined where there is no file, or a user cannot see it.
 */
export function keeperLives(path: string): boolean | undefined {
  try {
    const fd = openSync(path, WRITING);
    const isPipe = fstatSync(fd).isFIFO();
    closeSync(fd);
    return isPipe;
  } catch (error) {
    return [...ABSENT, 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '') ? undefined : false;
  }
}

/**
 * The words of the shell that start one (bin/keeper), as soon as whoever starts it has given the lock back: by flock(1),
 * which takes less time from the set-up than bash.
 */
export function keeperCommand({ path, isNew }: Pick<Hierarchy, 'path' | 'isNew'>, namespace: string): string {
  const last = isNew === true ? ['new'] : [];
  const words = [besideUs('keeper'), process.execPath, path, namespace.replace(/\D/g, ''), ...last];
  return `flock -F ${RUNTIME}/lock bash ${words.map(quote).join(' ')}`;
}

/** Has the keeper look at a group that was made, if there is one; `look` is the word of bin/agent, which it has to tell. */
export const wakeKeeper = (path: string): void => say(path, 'made\n');

/** Ends the keeper, if there is one, and removes its FIFO. */
export function endKeeper(path: string): void {
  say(path, 'end\n');
  removeFile(path);
}

/** Waits for nobody. */
function say(path: string, word: string): void {
  try {
    const fd = openSync(path, WRITING);
    writeSync(fd, word);
    closeSync(fd);
  } catch {
    // Nobody reads it; a keeper that lives all the same looks now and then.
  }
}

const WRITING = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
