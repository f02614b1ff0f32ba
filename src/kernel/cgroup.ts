import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { slotOfClassId } from '../plan/numbers.js';

/** A directory of ours in the net_cls hierarchy. */
export interface Cgroup {
  readonly uuid: string;
  readonly path: string;
  readonly classId: number;
  /** The process ids in it and in its child groups. */
  readonly members: readonly number[];
}

const PREFIX = 'via-';

/** The errors for a group that was removed: by its path, and by a file that was already open. */
export const GONE = ['ENOENT', 'ENODEV'];

/** The error for a group that was removed meanwhile: a via with another /run does not share our lock. */
export const removed = (path: string): ViaError =>
  new ViaError('cgroup', path, 'was removed meanwhile', { hint: 'try again', code: 'gone' });

/** The full form of a group's name. Another tool's directory may have the same prefix. */
const NAME = /^via-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The path of a group's directory. */
export const cgroupPath = (hierarchy: string, uuid: string): string => `${hierarchy}/${PREFIX}${uuid}`;

/**
 * Our groups of all network namespaces; cgroups are not per network namespace. A group whose making was interrupted
 * still has the class id of the hierarchy's root, and is listed too.
 */
export function listCgroups(hierarchy: string): Cgroup[] {
  const names = (ignoring(['ENOENT'], () => readdirSync(hierarchy)) ?? []).filter((name) => NAME.test(name));
  if (names.length === 0) return [];
  const unset = classIdOf(hierarchy);
  return names.flatMap((name) => {
    const path = `${hierarchy}/${name}`;
    const group = ignoring(GONE, () => ({ classId: classIdOf(path), members: membersOf(path) }));
    if (group === undefined || (slotOfClassId(group.classId) === undefined && group.classId !== unset)) return [];
    return [{ uuid: name.slice(PREFIX.length), path, ...group }];
  });
}

/** Every class id in use in the hierarchy, also those of other tools. */
export function classIds(hierarchy: string): Set<number> {
  const found = new Set<number>();
  const pending = [hierarchy];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const here = path;
    ignoring(GONE, () => {
      found.add(classIdOf(here));
      const children = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      pending.push(...children.map(({ name }) => `${here}/${name}`));
    });
  }
  return found;
}

/** The members of a group and of its child groups, without those in `out-u*` child groups (detached by a user). */
export function membersOf(path: string): number[] {
  const within = children(path).filter((child) => !isForOutside(child));
  return [...processesIn(path), ...within.flatMap((child) => membersOf(child))];
}

/** The processes in a group itself. */
export const processesIn = (path: string): number[] =>
  readFileSync(`${path}/cgroup.procs`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);

/** True for a child group of processes that a user has detached. */
export const isForOutside = (path: string): boolean => /\/out-u\d+$/.test(path);

/** A group's class id. */
export const classIdOf = (path: string): number => Number(readFileSync(`${path}/net_cls.classid`, 'utf8'));

/** The child groups of a group. */
export const children = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [`${path}/${entry.name}`] : []));

/** Makes a group. The class id is read back, because packets of a group without one would not be marked. */
export function makeCgroup(path: string, classId: number): void {
  try {
    // Only root may list the members.
    mkdirSync(path, 0o700);
    // Without O_CREAT: if the hierarchy was unmounted, its mount point is an ordinary directory.
    writeFileSync(`${path}/net_cls.classid`, String(classId), { flag: 'r+' });
  } catch (error) {
    // Remove the ordinary directory, or a group that cannot be used.
    if ((error as NodeJS.ErrnoException).syscall !== 'mkdir') ignoring([...GONE, 'EBUSY'], () => rmdirSync(path));
    throw new ViaError('cgroup', path, `cannot be made: ${wordsOf(error)}`, { cause: error });
  }
  const seen = classIdOf(path);
  if (seen !== classId) throw new ViaError('cgroup', path, `its class id reads ${seen} in place of ${classId}`);
}

/**
 * Moves this process into a group; returns false if there is no such group. Only the main thread moves: it starts the
 * command, and Node's other threads open no sockets. `0` means the writing thread (cgroup-v1/cgroups.rst); that move takes
 * no lock over all processes. By process id, or through cgroup.procs, the move waits 8 ms for an RCU grace period.
 * `whole` moves all threads, so that the group they leave can be removed.
 */
export function moveInto(path: string, whole = false): boolean {
  try {
    // Without O_CREAT, as for the class id.
    writeFileSync(`${path}/${whole ? 'cgroup.procs' : 'tasks'}`, '0', { flag: 'r+' });
    return true;
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    const denied = /^(EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '');
    const extra = denied ? { cause: error, hint: 'moving a process needs root' } : { cause: error };
    throw new ViaError('cgroup', path, `cannot be joined: ${wordsOf(error)}`, extra);
  }
}

/** Calls `act` and returns its result; returns undefined if it failed with one of these error codes. */
export function ignoring<T>(codes: readonly string[], act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
