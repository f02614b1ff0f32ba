import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import { runInSession } from '../kernel/session.js';
import { filesIn, readFound, type Found } from './find.js';

/** A file to write into a folder, by its name; its bytes as one character each. */
export interface File {
  readonly id: string;
  readonly bytes: string;
}

/** The entries that via has written into a folder. */
export function ours(folder: string): Found[] {
  return filesIn(folder)
    .filter(({ path }) => isPlain(path))
    .map(({ id, path }) => readFound(id, path))
    .filter((found) => found?.entry.gateway !== undefined) as Found[];
}

/**
 * Writes files, all or none of them: each whole or not at all, and only in the place of one that via has written. Throws
 * where a file is somebody else's, or cannot be written.
 */
export function write(folder: string, files: readonly File[]): void {
  files.forEach((file) => refuseForeign(folder, file));
  const made = makeFolder(folder);
  const undo: (() => void)[] = [];
  try {
    for (const { id, bytes } of files) {
      const path = `${folder}/${id}`;
      // No desktop takes a name without .desktop for an entry.
      const [fresh, old] = [`${path}.new-${process.pid}`, `${path}.old-${process.pid}`];
      undo.push(() => rmSync(fresh, { force: true }));
      save(fresh, bytes);
      if (isPlain(path)) {
        undo.push(() => rmSync(old, { force: true }));
        save(old, readFileSync(path, 'latin1'));
        undo.push(() => renameSync(old, path));
        renameSync(fresh, path);
      } else {
        // Fails where somebody has made one meanwhile, as a renaming does not.
        linkSync(fresh, path);
        undo.push(() => unlinkSync(path));
        unlinkSync(fresh);
      }
    }
  } catch (error) {
    for (const step of [...undo.reverse(), ...made.map((path) => () => rmdirSync(path))]) attempt(step);
    throw new ViaError('desktop entry', folder, wordsOf(error), { cause: error });
  }
  for (const { id } of files) rmSync(`${folder}/${id}.old-${process.pid}`, { force: true });
}

/** Removes entries of ours. Throws at the first that cannot be removed. */
export function remove(entries: readonly Found[]): void {
  for (const { path } of entries) {
    try {
      unlinkSync(path);
    } catch (error) {
      throw new ViaError('desktop entry', path, wordsOf(error), { cause: error });
    }
  }
}

/** Has the folder's list of what opens which kind of file made anew, where there is one. Gives what went wrong. */
export function refreshCache(folder: string): string | undefined {
  return existsSync(`${folder}/mimeinfo.cache`)
    ? runInSession(['update-desktop-database', '-q', folder], 30_000)
    : undefined;
}

/** What cannot be undone is not there, or what hinders it is what has hindered the writing. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // The first error is the one that is told.
  }
}

function refuseForeign(folder: string, { id }: File): void {
  const path = `${folder}/${id}`;
  if (ignoring(NONE, () => lstatSync(path)) === undefined) return;
  if (isPlain(path) && readFound(id, path)?.entry.gateway !== undefined) return;
  throw new ViaError('desktop entry', path, "is there already, and not via's", { hint: 'move it away first' });
}

/** A link is none: via writes none, and what it leads to is somebody else's. */
const isPlain = (path: string): boolean => ignoring(NONE, () => lstatSync(path).isFile()) === true;

/** Where a name is too long, writing says so. */
const NONE = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];

/** Gives the folders that had to be made, the innermost first. */
function makeFolder(folder: string): string[] {
  try {
    // 0700, as the XDG Base Directory Specification has it.
    const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
    const made = [];
    for (let path = folder; first !== undefined && path.length >= first.length; path = dirname(path)) made.push(path);
    return made;
  } catch (error) {
    throw new ViaError('folder', folder, wordsOf(error), { cause: error });
  }
}

function save(path: string, bytes: string): void {
  rmSync(path, { force: true });
  const fd = openSync(path, 'wx', 0o644);
  try {
    const all = Buffer.from(bytes, 'latin1');
    for (let at = 0; at < all.length;) at += writeSync(fd, all, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
