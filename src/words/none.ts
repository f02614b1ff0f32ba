import { moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { ownNetClsPath } from '../kernel/proc.js';

/** Takes this process out of the group it is in, if any, so that a command started next is outside. Needs root then. */
export function outside(): void {
  const path = ownNetClsPath();
  if (path === undefined || !/(^|\/)via-[^/]+$/.test(path)) return;
  moveInto(findHierarchy().path);
}
