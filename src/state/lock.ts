import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { basename } from 'node:path';
import { ViaError } from '../failure.js';
import { isUntouched, takeAhead } from '../kernel/ahead.js';
import { ignoring } from '../kernel/cgroup.js';
import { clearPlace, unusable } from '../kernel/place.js';
import { runTools, Stopped, type Done, type Job } from '../kernel/tools.js';
import { LOCK, RUNTIME } from '../plan/files.js';
import { waitFor } from './wait.js';

/** The lock, held. The kernel releases it when this process dies. */
export interface Lock {
  readonly fd: number;
  /** Taking the lock made the runtime directory. */
  readonly isNew: boolean;
}

/** The lock, with the results of the jobs that ran under it. */
export interface Held {
  readonly lock: Lock;
  readonly done: readonly Done[];
}

/**
 * Takes the lock and runs jobs under it, in one shell if the lock is free. flock(1) locks a descriptor that this process
 * keeps open, so the lock outlives flock(1). Only root can open the file, because any process that can open a file can
 * lock it. Throws if the lock is held for too long, and on a signal unless `patient`.
 */
export const lockAndRun = (jobs: readonly Job[], patient = false): Promise<Held> => take(openLock, jobs, patient);

/**
 * The same, patiently, but only if the lock exists. Undefined if it does not exist or is removed meanwhile: then there is
 * nothing to look at, and a new lock would be left behind.
 */
export const lockIfThere = (jobs: readonly Job[]): Promise<Held | undefined> => take(openLockIfThere, jobs, true);

async function take<T extends Lock | undefined>(
  open: () => T,
  jobs: readonly Job[],
  patient: boolean,
): Promise<Held | Exclude<T, Lock>> {
  for (;;) {
    const lock = open();
    if (lock === undefined) return undefined as Exclude<T, Lock>;
    let isBusy = false;
    try {
      let done = runTools(jobs, { fd: lock.fd, take: true, shielded: patient });
      isBusy = done === undefined;
      if (isBusy) await waitFor(lock.fd, LOCK, patient);
      isBusy = false;
      done ??= runTools(jobs, { fd: lock.fd, take: false, shielded: patient });
      // The last user of the machine removes the file. A lock on a removed file excludes no other process.
      if (done !== undefined && isNamed(lock)) return { lock, done };
    } catch (error) {
      if (!isBusy && (!(error instanceof Stopped) || isOurs(lock))) unlock(lock);
      else closeSync(lock.fd);
      throw error;
    }
    closeSync(lock.fd);
  }
}

/** True if we hold the lock. A shell that was killed may or may not have taken it. */
function isOurs({ fd }: Lock): boolean {
  try {
    return runTools([], { fd, take: true, shielded: true }) !== undefined;
  } catch {
    return false;
  }
}

/**
 * The same, for jobs that only read. The output that bin/via read ahead is used if there was nothing of via's on this
 * machine then and there is nothing now.
 */
export async function lockAndLook(jobs: readonly Job[]): Promise<Held> {
  const ahead = existsSync(RUNTIME) ? undefined : takeAhead(jobs);
  if (ahead === undefined || !isUntouched(ahead)) return lockAndRun(jobs);
  const { lock } = await lockAndRun([]);
  if (lock.isNew && holdsOnly()) return { lock, done: ahead };
  return { lock, done: runTools(jobs, { fd: lock.fd, take: false }) ?? [] };
}

/** Releases the lock. If the runtime directory contains nothing else, it is removed with the lock. */
export function unlock(lock: Lock): void {
  if (holdsOnly() && isNamed(lock)) {
    ignoring(['EROFS'], () => unlinkSync(LOCK));
    // A mount point stays (rmdir(2)).
    ignoring(['EBUSY', 'EROFS', 'ENOTEMPTY'], () => rmdirSync(RUNTIME));
  }
  closeSync(lock.fd);
}

/** Opens the lock for a job that takes it; undefined if there is none. Close it with `closeLock`. */
export const openLockForReading = (): number | undefined =>
  // O_NONBLOCK: opening a FIFO in its place must not block.
  ignoring(['ENOENT'], () => openSync(LOCK, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));

/** Closes a descriptor of the lock, which other processes may still hold. */
export const closeLock = (fd: number): void => closeSync(fd);

/** True if the runtime directory contains exactly the lock and these files. */
export function holdsOnly(...names: readonly string[]): boolean {
  const found = ignoring(['ENOENT', 'ENOTDIR'], () => readdirSync(RUNTIME)) ?? [];
  return found.sort().join('\n') === [basename(LOCK), ...names].sort().join('\n');
}

const isNamed = ({ fd }: Lock): boolean => ignoring(['ENOENT'], () => lstatSync(LOCK).ino) === fstatSync(fd).ino;

function openLock(): Lock {
  for (;;) {
    const isNew = makeRuntimeDirectory();
    try {
      return { fd: openSync(LOCK, FLAGS | constants.O_CREAT, 0o600), isNew };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EISDIR') clearPlace(LOCK);
      if (code === 'ENOENT' || code === 'EISDIR') continue;
      if (isNew) ignoring(['ENOENT', 'ENOTEMPTY'], () => rmdirSync(RUNTIME));
      throw unusable(LOCK, error);
    }
  }
}

const FLAGS = constants.O_RDWR | constants.O_NOFOLLOW;

function openLockIfThere(): Lock | undefined {
  try {
    return { fd: openSync(LOCK, FLAGS), isNew: false };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') return openLock();
    if (code !== 'ENOENT') throw unusable(LOCK, error);
    // The lock alone may have been removed.
    return (ignoring(['ENOENT'], () => readdirSync(RUNTIME)) ?? []).length > 0 ? openLock() : undefined;
  }
}

/** Returns true if it made the directory. */
function makeRuntimeDirectory(): boolean {
  try {
    mkdirSync(RUNTIME, 0o700);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(RUNTIME, error);
  }
  const stat = ignoring(['ENOENT'], () => lstatSync(RUNTIME));
  if (stat !== undefined && (!stat.isDirectory() || stat.uid !== 0 || (stat.mode & 0o022) !== 0)) {
    throw new ViaError('directory', RUNTIME, 'not a directory that only root can write', { hint: 'remove it' });
  }
  return false;
}
