import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { quote } from '../plan/render.js';
import { ignoring } from './cgroup.js';

const NOBODY = ['ENXIO'];
const ABSENT = ['ENOENT', 'ENOTDIR'];

/**
 * Whether a keeper has this FIFO open: opening it for writing works then, and only then (fifo(7)). Undefined where there
 * is no file.
 */
export function keeperLives(path: string): boolean | undefined {
  let exists = true;
  const fd = ignoring([...NOBODY, 'EISDIR', 'ELOOP'], () => {
    // A user cannot see it.
    const found = ignoring([...ABSENT, 'EACCES'], () => openSync(path, WRITING));
    exists = found !== undefined;
    return found;
  });
  if (fd !== undefined) closeSync(fd);
  return exists ? fd !== undefined : undefined;
}

/** The words of the shell that start one (bin/keeper). */
export const keeperCommand = (hierarchy: string, namespace: string): string =>
  ['bash', `${dirname(process.argv[1] ?? '')}/keeper`, process.execPath, hierarchy, namespace.replace(/\D/g, '')]
    .map(quote)
    .join(' ');

/** Ends the keeper, if there is one, and removes its FIFO. */
export function endKeeper(path: string): void {
  const fd = ignoring([...NOBODY, ...ABSENT], () => openSync(path, WRITING));
  if (fd !== undefined) {
    ignoring(['EPIPE', 'EAGAIN'], () => writeSync(fd, 'end\n'));
    closeSync(fd);
  }
  ignoring(ABSENT, () => unlinkSync(path));
}

const WRITING = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
