import { moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { isInGroup } from '../kernel/proc.js';
import { quote } from '../plan/render.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';

type None = Extract<Request, { word: 'none' }>;

/**
 * Takes this process out of the group it is in, if any, so that a command started next is outside. Throws ViaError where
 * it is in one and not root's.
 */
export function outside(say: Say): void {
  const root = leaveTo();
  if (root === undefined) return;
  say.changes(() => [move(root)]);
  moveInto(root, true);
}

/** The file by which a process gets out of the group that this one is in too; undefined where it is in none. */
export function tasksOutside(say: Say): string | undefined {
  const root = leaveTo();
  if (root !== undefined) say.changes(() => [move(root)]);
  return root === undefined ? undefined : `${root}/tasks`;
}

/** Prints what it would do, as commands. */
export function previewNone({ command }: None, say: Say): void {
  const root = leaveTo();
  say.out([...(root === undefined ? [] : [move(root)]), `exec ${command.map(quote).join(' ')}`]);
}

const move = (root: string): string => `echo $$ > ${root}/cgroup.procs`;

/** The root of the hierarchy, where this process is in a group of ours. */
function leaveTo(): string | undefined {
  return isInGroup() ? findHierarchy().path : undefined;
}
