import { isViaError } from '../failure.js';
import { cgroupPath, moveInto } from '../kernel/cgroup.js';
import { homeIn } from '../kernel/home.js';
import { isInGroup } from '../kernel/proc.js';
import type { Settled, Tell } from './transaction.js';

/** The membership of this process in a group. */
export interface Membership {
  readonly uuid: string;
  readonly path: string;
  /** The cgroup that this process comes from, and goes back to; undefined for the root of the hierarchy. */
  readonly home?: string | undefined;
  /** All threads were moved here from another group, so all of them leave. */
  readonly whole: boolean;
  /** The group is a user's. Its keeper removes the rest. */
  readonly ofUser?: boolean;
  /** Everything that making this group left, if it is the first of the machine. It can be removed without a look. */
  readonly made?: Settled | undefined;
}

/** Makes this process a member; undefined where the group does not exist any more. */
export function joinGroup(uuid: string, hierarchy: string, tell: Tell): Membership | undefined {
  const path = cgroupPath(hierarchy, uuid);
  const whole = isInGroup();
  const home = homeIn(hierarchy);
  if (!moveInto(path, whole)) return undefined;
  tell(() => [`echo $$ > ${path}/cgroup.procs`]);
  return { uuid, path, home, whole };
}

/** Calls `act` again, a few times, while it fails because the new group was removed meanwhile. */
export async function whileGone<T>(act: () => Promise<T> | T): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if (!isViaError(error) || error.code !== 'gone' || tries === TRIES) throw error;
    }
  }
}

const TRIES = 5;
