import { isViaError } from '../failure.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { descendants, isIn, isKeeper, movable, moveProcess, refusal, type Movable } from '../kernel/moving.js';
import type { Tell } from './transaction.js';

/** How processes are moved. */
export interface Moving {
  /** With all that they have started. */
  readonly tree: boolean;
  /** Gives one that may be moved; throws where it may not. */
  readonly check: (pid: number) => Movable;
  readonly tell: Tell;
  readonly fail: (error: unknown) => void;
  /** A via that has all this done, with all that it has started for it; else this process. */
  readonly except?: number;
  /** Called with those that are moved next, and with those that are. */
  readonly before?: (pids: readonly number[]) => void;
  readonly after?: (pids: readonly number[]) => void;
  /** When it ends, by performance.now(): what is left then is told as one error. For who could go on for ever. */
  readonly end?: number;
}

/**
 * Moves processes to the directory with this path, and with `tree` all that they have started: looking again until nothing
 * new is found, since what they start while we look comes from one that was moved, or is found the next time. Gives how
 * many could not be moved; each is told.
 */
export function moveAll(first: readonly Movable[], path: string, moving: Moving): number {
  const { tree, check, before, after, except = process.pid, end = Infinity } = moving;
  const root = findHierarchy().path;
  const seen = new Set<number>();
  const isNamed = (one: Movable): boolean => first.includes(one);
  let failures = 0;
  for (let some = first; some.length > 0;) {
    const pids = some.map(({ pid }) => pid);
    before?.(pids);
    for (const one of some) {
      if (performance.now() > end) {
        after?.(pids);
        moving.fail(refusal(one.pid, LATE, 'try again, or end what starts so many'));
        return failures + 1;
      }
      seen.add(one.pid);
      // Moving it again would change nothing, and takes the kernel some milliseconds.
      failures += isIn(one.pid, path, root) || moved(one, path, root, isNamed(one), moving) ? 0 : 1;
    }
    after?.(pids);
    if (!tree) break;
    const all = descendants(first.map(({ pid }) => pid));
    // Some are there for this, and end; keepers end with the groups.
    const own = [except, ...all.filter(isKeeper)];
    const ours = new Set([...own, ...descendants(own)]);
    const isNew = (pid: number): boolean => !seen.has(pid) && !ours.has(pid) && !isIn(pid, path, root);
    const more = all.filter(isNew);
    for (const pid of more) seen.add(pid);
    const { errors, found } = sorted(more, check);
    failures += errors.filter((error) => !hasEnded(error)).map(moving.fail).length;
    some = found;
  }
  return failures;
}

const LATE = 'took too long: not all were moved';

/** Whether it was moved, or need not be. */
function moved(one: Movable, path: string, root: string, isNamed: boolean, { tell, fail }: Moving): boolean {
  tell(() => [`echo ${one.pid} > ${path}/cgroup.procs`]);
  try {
    moveProcess(one, path, root);
    return true;
  } catch (error) {
    if (isViaError(error) && error.code === 'gone') throw error;
    if (!isNamed && hasEnded(error)) return true;
    fail(error);
    return false;
  }
}

/** What of a tree ends while it is moved is no failure. */
const hasEnded = (error: unknown): boolean => isViaError(error) && error.code === 'ended';

/** What came of each, apart: those that may be moved, and the errors of the others. */
export function sorted(
  pids: readonly number[],
  check: (pid: number) => Movable = movable,
): { errors: unknown[]; found: Movable[] } {
  const errors: unknown[] = [];
  const found = pids.flatMap((pid) => {
    try {
      return [check(pid)];
    } catch (error) {
      if (!isViaError(error)) throw error;
      errors.push(error);
      return [];
    }
  });
  return { errors, found };
}
