import { ViaError } from '../failure.js';
import type { System } from '../group/look.js';

/** As many groups as one user may have on a machine: there are 127 for all in a network namespace. */
export const MOST = 16;

/** What throws where a user has as many groups as he may, in all network namespaces. */
export function allowFor(uid: number): (system: Pick<System, 'cgroups' | 'records' | 'groups'>) => void {
  return ({ cgroups, records, groups }) => {
    const count = cgroups.filter(({ uuid }) => {
      const owner = groups.find((group) => group.uuid === uuid)?.owner ?? records.groups.get(uuid)?.record.owner;
      return owner === uid;
    }).length;
    if (count < MOST) return;
    throw new ViaError('group', '', `user ${uid} has ${count} groups already, and may have ${MOST}`, {
      hint: 'end a command that uses one',
    });
  };
}
