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
import { RUNTIME } from '../plan/wanted.js';
import { waitFor } from './patience.js';

/** The one lock for every change. Root's alone: a file that anybody can open, anybody can lock. */
export const LOCK = `${RUNTIME}/lock`;

/** The lock, held; the kernel releases it when we die. */
export interface Lock {
  readonly fd: number;
  /** The directory was made for it. */
  readonly isNew: boolean;
}

/** The lock, and what came of the jobs that were run under it. */
interface Held {
  readonly lock: Lock;
  readonly done: readonly Done[];
}

/**
 * Takes the lock and runs jobs under it, in one go where nobody else has it. flock(1) locks a descriptor that we keep,
 * so the lock outlives it. Throws when somebody else holds the lock for too long, and on a signal unless it is `patient`.
 */
export const lockAndRun = (jobs: readonly Job[], patient = false): Promise<Held> => take(openLock, jobs, patient);

/**
 * The same, patiently, for who has nothing to do where nobody uses via: undefined where the lock is gone, or goes while it
 * is waited for. Made anew it would be there after the last via has taken all away.
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
      // The last user of the machine removes the file: a lock on a file without a name keeps nobody out.
      if (done !== undefined && isNamed(lock)) return { lock, done };
    } catch (error) {
      if (!isBusy && (!(error instanceof Stopped) || isOurs(lock))) unlock(lock);
      else closeSync(lock.fd);
      throw error;
    }
    closeSync(lock.fd);
  }
}

/** Whether we have it: a shell that was killed does not say whether it got it before. */
function isOurs({ fd }: Lock): boolean {
  try {
    return runTools([], { fd, take: true, shielded: true }) !== undefined;
  } catch {
    return false;
  }
}

/**
 * The same, for jobs that only read: what bin/via has let them print before is as good where there was nothing of via's
 * on this machine then, nor is now. Another via that came and went meanwhile has left nothing.
 */
export async function lockAndLook(jobs: readonly Job[]): Promise<Held> {
  const ahead = existsSync(RUNTIME) ? undefined : takeAhead(jobs);
  if (ahead === undefined || !isUntouched(ahead)) return lockAndRun(jobs);
  const { lock } = await lockAndRun([]);
  if (lock.isNew && holdsOnly()) return { lock, done: ahead };
  return { lock, done: runTools(jobs, { fd: lock.fd, take: false }) ?? [] };
}

/** Gives the lock back; where nothing was made, or all is gone, the directory that was made for the lock goes as well. */
export function unlock(lock: Lock): void {
  if (holdsOnly() && isNamed(lock)) {
    ignoring(['EROFS'], () => unlinkSync(LOCK));
    // A mount point stays (rmdir(2)).
    ignoring(['EBUSY', 'EROFS', 'ENOTEMPTY'], () => rmdirSync(RUNTIME));
  }
  closeSync(lock.fd);
}

/** Whether the lock, and files of these names, are all that is in our directory. */
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
    // Somebody may have removed nothing but the lock.
    return (ignoring(['ENOENT'], () => readdirSync(RUNTIME)) ?? []).length > 0 ? openLock() : undefined;
  }
}

/** Whether it was not there. */
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
