import { formatGateway, parseGateway } from '../gateway/text.js';
import { moveAll, sorted } from '../group/move.js';
import { hasConnections } from '../kernel/connections.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { descendants, movable, movableOut, type Movable } from '../kernel/moving.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';
import { askSetup, errorOf, type Answer } from './asking.js';
import { pidsText } from './document.js';
import { wantedOf } from './elevate.js';
import { findOwn } from './own.js';

/** Of the word that calls us. */
interface Caller {
  readonly say: Say;
  readonly isIgnored: (signal: NodeJS.Signals) => boolean;
  readonly notRoot: () => Error;
}

/**
 * Moves running processes of this user into his group of a way out, by himself: the kernel lets him move his own only. Root
 * makes the group where it is not in use, and keeps the connections that they have. Each that cannot be moved is an
 * error of its own. Gives whether all were moved. Throws as a launch does.
 */
export async function attachAsUser(
  { gateway, pids, tree, options }: Extract<Request, { word: 'attach' }>,
  { say, isIgnored, notRoot }: Caller,
): Promise<boolean> {
  const wanted = wantedOf(formatGateway(parseGateway(gateway)), options);
  const { errors, found } = told(pids, (pid) => movable(pid, uid()), say);
  if (found.length === 0) return false;
  let failures = errors;
  const move = (path: string): void => {
    const check = (pid: number): Movable => movable(pid, uid());
    failures += moveAll(found, path, { tree, check, tell: say.changes, fail: say.error });
  };
  const { elevate } = options;
  const own = findOwn(findHierarchy().path, wanted, uid());
  const all = found.map(({ pid }) => pid);
  // What their connections need takes root.
  if (own !== undefined && (elevate === 'none' || !hasConnections(tree ? [...all, ...descendants(all)] : all)))
    move(own);
  else if (elevate === 'none') throw notRoot();
  else {
    const act = ({ path, changes, errors: more }: Answer): void => {
      say.changes(() => changes);
      for (const text of more) say.error(errorOf(text));
      move(path);
    };
    await askSetup({ ...wanted, word: 'attach', pids: pidsText(found), tree }, { elevate, act, isIgnored });
  }
  return failures === 0;
}

/** Has root move processes of this user out of his groups, to the usual way. Gives whether all were. Throws as a launch does. */
export async function detachAsUser(
  { pids, tree, options }: Extract<Request, { word: 'detach' }>,
  { say, isIgnored, notRoot }: Caller,
): Promise<boolean> {
  const { errors, found } = told(pids, (pid) => movableOut(pid, tree, uid()), say);
  if (found.length === 0) return false;
  const { elevate } = options;
  if (elevate === 'none') throw notRoot();
  const wanted = { ...wantedOf('', options), word: 'detach', pids: pidsText(found), tree } as const;
  const { changes, errors: more } = await askSetup(wanted, { elevate, act: () => {}, isIgnored });
  say.changes(() => changes);
  for (const text of more) say.error(errorOf(text));
  return errors + more.length === 0;
}

const uid = (): number => process.getuid?.() ?? 0;

/** Those that may be moved; the others are told, and counted. */
function told(
  pids: readonly number[],
  check: (pid: number) => Movable,
  say: Say,
): { errors: number; found: Movable[] } {
  const { errors, found } = sorted(pids, check);
  errors.forEach(say.error);
  return { errors: errors.length, found };
}
