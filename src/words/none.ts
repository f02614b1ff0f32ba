import { ViaError } from '../failure.js';
import { moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { homeIn, returnHome } from '../kernel/home.js';
import { isIgnored } from '../kernel/ignored.js';
import { isInGroup, isOutside, isRoot } from '../kernel/proc.js';
import { quote } from '../plan/render.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';

type None = Extract<Request, { word: 'none' }>;

/**
 * Runs a command outside the group of this process, and goes back into the group afterwards: sockets that its members
 * share with the command have the group's class again. Throws as `outside` does.
 */
export async function runOutside<T>(request: None, say: Say, run: () => Promise<T>): Promise<T> {
  const root = leaveTo();
  const home = root === undefined ? undefined : homeIn(root);
  await outside(request, say);
  try {
    return await run();
  } finally {
    returnHome(home);
  }
}

/**
 * Moves this process out of its group, so that the command runs outside. Returns the file by which the launcher can follow;
 * undefined if it was in no group. Throws ViaError if root's rights are needed and not given.
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

/** Prints the changes as commands. */
export function previewNone({ command }: None, say: Say): void {
  const root = leaveTo();
  say.out([...(root === undefined ? [] : [move(root)]), `exec ${command.map(quote).join(' ')}`]);
}

const move = (root: string): string => `echo $$ > ${root}/cgroup.procs`;

/** The root of the hierarchy, if this process is in a group of ours. */
function leaveTo(): string | undefined {
  return isInGroup() && !isOutside() ? findHierarchy().path : undefined;
}
