import type { Cgroup } from '../kernel/cgroup.js';
import type { Hierarchy } from '../kernel/hierarchy.js';
import { netnsExists } from '../kernel/proc.js';
import type { Thing } from '../plan/things.js';
import { builtinRecord, recordThing, runtimeDirectory, RUNTIME, sysctlRecord } from '../plan/wanted.js';
import type { Group } from '../plan/wayout.js';
import { intactFile } from './intact.js';
import type { Records } from './records.js';

/** What all groups of the machine share, where it is there. */
export function machineThings(hierarchy: Hierarchy, records: Records): Thing[] {
  const mount: Thing = { kind: 'mount', id: 'mount', scope: 'machine', state: '', ...hierarchy };
  return [...(records.exists ? [runtimeDirectory()] : []), ...(hierarchy.own && hierarchy.mounted ? [mount] : [])];
}

/** Records of this namespace's groups, and of groups that are gone, wherever they were. */
export function recordThings(records: Records, cgroups: readonly Cgroup[], groups: readonly Group[]): Thing[] {
  const elsewhere = cgroups.map(({ uuid }) => uuid).filter((uuid) => !groups.some((group) => group.uuid === uuid));
  return [...records.groups]
    .filter(([uuid]) => !elsewhere.includes(uuid))
    .map(([uuid, { text }]) => recordThing(`${RUNTIME}/group-${uuid}`, text));
}

/** What a killed via was writing; and, where no group is left, the records of network namespaces that are gone. */
export function uselessRecords({ broken, sysctls, builtins, intact }: Records, cgroups: readonly Cgroup[]): Thing[] {
  const isGone = ({ namespace }: { namespace: string }): boolean => cgroups.length === 0 && !netnsExists(namespace);
  const paths = [
    ...sysctls.filter(isGone).map(({ device, namespace }) => sysctlRecord(device, namespace)),
    ...builtins.filter(isGone).map(({ namespace }) => builtinRecord(namespace)),
  ];
  const alive = new Set(cgroups.map(({ uuid }) => uuid));
  const states = intact.filter((uuid) => !alive.has(uuid)).map((uuid) => intactFile(uuid));
  return [...broken, ...paths, ...states].map((path) => recordThing(path, ''));
}
