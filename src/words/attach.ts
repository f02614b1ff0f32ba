import { attachTo, detachFrom } from '../group/attach.js';
import { askFor } from '../group/ask.js';
import { moveAll, sorted, type Moving } from '../group/move.js';
import { isTracking, keepConnections, restartAttempts } from '../kernel/connections.js';
import { isIgnored } from '../kernel/ignored.js';
import { movable, movableOut } from '../kernel/moving.js';
import { isRoot } from '../kernel/proc.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';
import { notRoot } from './launch.js';

type Attach = Extract<Request, { word: 'attach' }>;
type Detach = Extract<Request, { word: 'detach' }>;

/**
 * Moves running processes into the group of a gateway's way out, and makes the group if needed. The keeper waits for
 * their end. Each process that cannot be moved gives an error line. Returns true if all were moved. Throws if the group
 * cannot be made.
 */
export async function attach(request: Attach, say: Say): Promise<boolean> {
  const { gateway, options, pids, tree } = request;
  if (!isRoot()) return (await asUser()).attachAsUser(request, { say, isIgnored, notRoot: () => notRoot('attach') });
  const ask = askFor(gateway, options);
  const { errors, found } = sorted(pids, movable);
  errors.forEach(say.error);
  if (found.length === 0) return false;
  const wasTracking = isTracking();
  const tell = (error?: Error): void => void (error && say.error(error));
  const moving: Moving = {
    tree,
    check: movable,
    tell: say.changes,
    fail: say.error,
    before: (some) => tell(keepConnections(some, wasTracking)),
    after: (some) => tell(restartAttempts(some)),
  };
  let failures = errors.length;
  await attachTo(ask, say.changes, (path) => void (failures += moveAll(found, path, moving)));
  return failures === 0;
}

/** Moves processes out of their groups. Returns true if all were moved. */
export async function detach(request: Detach, say: Say): Promise<boolean> {
  const { pids, tree } = request;
  if (!isRoot()) return (await asUser()).detachAsUser(request, { say, isIgnored, notRoot: () => notRoot('detach') });
  const { errors, found } = sorted(pids, (pid) => movableOut(pid, tree));
  errors.forEach(say.error);
  if (found.length === 0) return false;
  const after = (some: readonly number[]): void => void restartAttempts(some);
  const moving: Moving = { tree, check: movable, tell: say.changes, fail: say.error, after };
  let failures = errors.length;
  await detachFrom(say.changes, (root) => void (failures += moveAll(found, root, moving)));
  return failures === 0;
}

/** Loaded on demand: root does not need it. */
const asUser = () => import('../elevate/others.js');
