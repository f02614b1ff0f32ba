import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** The errors of a file that does not exist, cannot be read, or is of another kind. */
export const UNREADABLE = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP'];

/** The errors of a file that cannot be written now. */
export const UNWRITABLE = ['ENOENT', 'EISDIR', 'ENOSPC', 'EFBIG', 'EDQUOT', 'EROFS'];

/**
 * The text of a regular file of at most `most` bytes. Any other file reads as empty: reading a FIFO could block, and a
 * device may have no end. Throws for a directory and for a missing file.
 */
export function readPlainFile(path: string, most = 1 << 20): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const about = fstatSync(fd);
    const isReadable = about.isDirectory() || (about.isFile() && about.size <= most);
    return isReadable ? readFileSync(fd, 'utf8') : '';
  } finally {
    closeSync(fd);
  }
}
