import type { Cgroup } from '../kernel/cgroup.js';
import { netnsOf } from '../kernel/proc.js';
import { slotOfClassId } from '../plan/numbers.js';
import { parseKey, type Group } from '../plan/wayout.js';
import type { Firewalls } from './firewalls.js';
import type { Records } from '../state/records.js';

/**
 * The group of a cgroup, if it belongs to this network namespace: our rules name it. If the rules were removed, its
 * record names it and one of its members is here. The namespace's number alone proves nothing, because numbers are reused.
 */
export function groupOf(
  cgroup: Cgroup,
  named: Firewalls['groups'],
  records: Records,
  namespace: string,
): Group | undefined {
  const { uuid, classId, members } = cgroup;
  const slot = slotOfClassId(classId);
  if (slot === undefined) return undefined;
  const listed = named.find((group) => group.uuid === uuid && group.slot === slot);
  if (listed !== undefined) return { ...listed, classId };
  const record = records.groups.get(uuid)?.record;
  const wayOut = parseKey(record?.key ?? '');
  if (wayOut === undefined || record?.namespace !== namespace) return undefined;
  if (!members.some((pid) => netnsOf(pid) === namespace)) return undefined;
  const group = { uuid, slot, classId, wayOut, firewall: record.firewall };
  return record.owner === undefined ? group : { ...group, owner: record.owner };
}
