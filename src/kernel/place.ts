import { rmdirSync, unlinkSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from './cgroup.js';

/**
 * Removes the file at a path of ours, or an empty directory in its place; nothing where there is neither. A directory with
 * something in it stays: false (unlink(2) of a directory: EISDIR; rmdir(2)).
 */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code !== 'EISDIR') throw error;
  }
  return (
    ignoring(['ENOTEMPTY', 'EBUSY'], () => {
      ignoring(['ENOENT'], () => rmdirSync(path));
      return true;
    }) === true
  );
}

/** The same, to write a file there. Throws where a directory stays in its place. */
export function clearPlace(path: string): void {
  if (!removeFile(path)) throw inPlace('directory', path);
}

/** What is in the place of a file or a directory of ours, and is not via's to remove. */
export const inPlace = (what: 'directory' | 'file', path: string): ViaError =>
  new ViaError(what, path, `in the place of a ${what === 'file' ? 'directory' : 'file'} of via`, { hint: 'remove it' });

/** A file or a directory of ours that cannot be opened or made. */
export function unusable(path: string, error: unknown): ViaError {
  // O_NOFOLLOW: it is a link (open(2)).
  const isLink = (error as NodeJS.ErrnoException).code === 'ELOOP';
  const hint = isLink ? 'remove it' : 'via needs a writable /run';
  return new ViaError('file', path, isLink ? 'a symbolic link' : wordsOf(error), { cause: error, hint });
}
