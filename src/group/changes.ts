import { firewalls } from '../plan/marking/firewalls.js';
import { plan } from '../plan/plan.js';
import type { Change, Thing } from '../plan/things.js';
import { wanted } from '../plan/wanted.js';
import type { Group } from '../plan/wayout.js';
import { refuseForeign } from './foreign.js';
import type { System } from './look.js';

/**
 * The changes that the alive groups, and the groups of `more`, need. Throws if a name that they need belongs to another
 * tool.
 */
export const changesFor = (system: System, more: readonly Group[]): Change[] =>
  plan(wantedFor(system, more), system.things);

/** The things that must exist for those groups. Throws likewise. */
export function wantedFor(system: System, more: readonly Group[]): Thing[] {
  const isNew = (group: Group): boolean => !system.groups.some(({ uuid }) => uuid === group.uuid);
  const groups = [...system.groups, ...more.filter(isNew)];
  refuseForeign(system, groups);
  return wanted(groups, system.facts, firewalls);
}
