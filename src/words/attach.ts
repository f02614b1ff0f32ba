import { isViaError, ViaError } from '../failure.js';
import { admit, dismiss } from '../group/admit.js';
import type { Tell } from '../group/settle.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import {
  descendants,
  isTracking,
  keepConnections,
  movable,
  moveProcess,
  refusal,
  type Movable,
} from '../kernel/moving.js';
import { groupOfProcess } from '../kernel/proc.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';
import { askFor } from './ask.js';
import { notRoot } from './launch.js';

/**
 * Moves running processes into the group of a gateway's way out, which is made where there is none; no via waits for
 * their end, the keeper does. Each that cannot be moved is an error of its own. Gives whether all were moved. Throws where
 * there is nothing to move, or the group cannot be made.
 */
export async function attach(request: Extract<Request, { word: 'attach' }>, say: Say): Promise<boolean> {
  const ask = askFor(request.gateway, request.options);
  if (process.geteuid?.() !== 0) throw notRoot('attach');
  const { errors, found } = sorted(request.pids, movable);
  errors.forEach(say.error);
  if (found.length === 0) return false;
  const wasTracking = isTracking();
  let failures = errors.length;
  await admit(ask, say.changes, (path) => {
    failures += moveAll(found, request.tree, path, say, (some) => {
      if (keepConnections(some.map(({ pid }) => pid)) || wasTracking) return;
      say.error(
        new ViaError('conntrack', '', 'not found: connections that are idle may end', { hint: 'install conntrack' }),
      );
    });
  });
  return failures === 0;
}

/** Moves processes out of their groups, to the usual way. Gives whether all were. */
export async function detach(request: Extract<Request, { word: 'detach' }>, say: Say): Promise<boolean> {
  if (process.geteuid?.() !== 0) throw notRoot('detach');
  const { errors, found } = sorted(request.pids, (pid) => {
    const one = movable(pid);
    const all = request.tree ? [pid, ...descendants([pid])] : [pid];
    if (all.every((each) => groupOfProcess(each) === undefined)) throw refusal(pid, 'in no group');
    return one;
  });
  errors.forEach(say.error);
  if (found.length === 0) return false;
  let failures = errors.length;
  await dismiss(say.changes, (root) => {
    failures += moveAll(found, request.tree, root, say, () => {});
  });
  return failures === 0;
}

/**
 * Moves processes, and with `tree` all that they have started: looking again until nothing new is found, since what they
 * start while we look comes from one that was moved, or is found the next time. Gives how many could not be moved.
 */
function moveAll(
  first: readonly Movable[],
  tree: boolean,
  path: string,
  say: Say,
  before: (some: readonly Movable[]) => void,
): number {
  const root = findHierarchy().path;
  const seen = new Set<number>();
  let failures = 0;
  for (let some = first; some.length > 0;) {
    before(some);
    for (const one of some) {
      seen.add(one.pid);
      // Moving it again would change nothing, and takes the kernel some milliseconds.
      failures += isIn(one.pid, path, root) || moved(one, path, root, say) ? 0 : 1;
    }
    if (!tree) break;
    const more = descendants(first.map(({ pid }) => pid)).filter((pid) => !seen.has(pid) && !isIn(pid, path, root));
    for (const pid of more) seen.add(pid);
    some = sorted(more, movable).found;
  }
  return failures;
}

function moved(one: Movable, path: string, root: string, say: Say): boolean {
  const tell: Tell = say.changes;
  tell(() => [`echo ${one.pid} > ${path}/cgroup.procs`]);
  try {
    moveProcess(one, path, root);
    return true;
  } catch (error) {
    say.error(error);
    return false;
  }
}

/** Whether a process is where the others go. */
const isIn = (pid: number, path: string, root: string): boolean =>
  path === root ? groupOfProcess(pid) === undefined : path.endsWith(`/via-${groupOfProcess(pid)}`);

/** What came of each, apart. */
function sorted(pids: readonly number[], act: (pid: number) => Movable): { errors: unknown[]; found: Movable[] } {
  const errors: unknown[] = [];
  const found = pids.flatMap((pid) => {
    try {
      return [act(pid)];
    } catch (error) {
      if (!isViaError(error)) throw error;
      errors.push(error);
      return [];
    }
  });
  return { errors, found };
}
