import { ViaError } from '../failure.js';
import { moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { ownNetClsPath } from '../kernel/proc.js';

/** Takes this process out of the group it is in, if any, so that a command started next is outside. Needs root then. */
export function outside(): void {
  const path = ownNetClsPath();
  if (path === undefined || !/(^|\/)via-[^/]+$/.test(path)) return;
  const hierarchy = findHierarchy();
  try {
    moveInto(hierarchy.path);
  } catch (error) {
    const hint = 'leaving a group needs root';
    throw new ViaError('cgroup', hierarchy.path, (error as Error).message, { cause: error, hint });
  }
}
