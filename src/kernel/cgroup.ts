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

/** What the kernel says of a group that was removed, by its path and by what was open in it. */
export const GONE = ['ENOENT', 'ENODEV'];

/** A group's name: a stranger's directory may begin like ours. */
const NAME = /^via-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The path of a group's directory. */
export const cgroupPath = (hierarchy: string, uuid: string): string => `${hierarchy}/${PREFIX}${uuid}`;

/**
 * Our groups, of every network namespace: the hierarchy knows none. One that somebody was killed in the middle of making
 * still has the class id of the hierarchy's root.
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

/** Every class id in use in the hierarchy, whoever made it. */
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

/** The members of a group and of its child groups; but those who have left it, though they are in one (elevate/own.ts). */
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

/** Whether a child group is for those whom a user has taken out. */
export const isForOutside = (path: string): boolean => /\/out-u\d+$/.test(path);

/** A group's class id. */
export const classIdOf = (path: string): number => Number(readFileSync(`${path}/net_cls.classid`, 'utf8'));

/** The child groups of a group. */
export const children = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [`${path}/${entry.name}`] : []));

/** Makes a group; the class id is read back, since a group without one would be routed like everybody. */
export function makeCgroup(path: string, classId: number): void {
  try {
    // Nobody else sees who is in it.
    mkdirSync(path, 0o700);
    // Never made: where somebody unmounted the hierarchy, its mount point is a directory like any other.
    writeFileSync(`${path}/net_cls.classid`, String(classId), { flag: 'r+' });
  } catch (error) {
    // Such a directory goes again, and so does a group that cannot be used.
    if ((error as NodeJS.ErrnoException).syscall !== 'mkdir') ignoring([...GONE, 'EBUSY'], () => rmdirSync(path));
    throw new ViaError('cgroup', path, `cannot be made: ${wordsOf(error)}`, { cause: error });
  }
  const seen = classIdOf(path);
  if (seen !== classId) throw new ViaError('cgroup', path, `its class id reads ${seen} in place of ${classId}`);
}

/**
 * Moves this process into a group; false where there is no such group. It moves the main thread, which is the one that
 * starts the command; Node's other threads open no sockets. `0` is the writing thread (cgroup-v1/cgroups.rst). The kernel
 * then takes no lock over all processes; by number, or in cgroup.procs, the same move waits 8 ms for an RCU grace period.
 * `whole`: all threads, so that another group that they are in can be removed.
 */
export function moveInto(path: string, whole = false): boolean {
  try {
    // Never made, as the class id.
    writeFileSync(`${path}/${whole ? 'cgroup.procs' : 'tasks'}`, '0', { flag: 'r+' });
    return true;
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    const denied = /^(EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '');
    const extra = denied ? { cause: error, hint: 'moving a process needs root' } : { cause: error };
    throw new ViaError('cgroup', path, `cannot be joined: ${wordsOf(error)}`, extra);
  }
}

/** The result, or undefined where it failed by one of these codes. */
export function ignoring<T>(codes: readonly string[], act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
