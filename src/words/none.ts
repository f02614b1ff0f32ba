import { ViaError } from '../failure.js';
import { moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { isIgnored } from '../kernel/ignored.js';
import { isInGroup, isOutside, isRoot } from '../kernel/proc.js';
import { quote } from '../plan/render.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';

type None = Extract<Request, { word: 'none' }>;

/**
 * Takes this process out of the group it is in, if any, so that a command started next is outside. Gives the file by
 * which others get there; undefined where it was in none. Throws ViaError where it is in one, and nobody gives root's rights.
 */
export async function outside({ options }: None, say: Say, exec = false): Promise<string | undefined> {
  const root = leaveTo();
  if (root === undefined) return undefined;
  if (!isRoot()) {
    const notRoot = (): Error => new ViaError('none', '', 'leaving a group needs root');
    const { leaveAsUser } = await import('../elevate/elevate.js');
    return `${await leaveAsUser(options, { tell: say.changes, isIgnored, notRoot })}/tasks`;
  }
  say.changes(() => [move(root)]);
  if (!exec) moveInto(root, true);
  return `${root}/tasks`;
}

/** Prints what it would do, as commands. */
export function previewNone({ command }: None, say: Say): void {
  const root = leaveTo();
  say.out([...(root === undefined ? [] : [move(root)]), `exec ${command.map(quote).join(' ')}`]);
}

const move = (root: string): string => `echo $$ > ${root}/cgroup.procs`;

/** The root of the hierarchy, where this process is in a group of ours. */
function leaveTo(): string | undefined {
  return isInGroup() && !isOutside() ? findHierarchy().path : undefined;
}
