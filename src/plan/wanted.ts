import type { Facts } from './facts.js';
import { builtinFile, groupFile, keeperFile, RUNTIME, sysctlFile } from './files.js';
import { fallbackRouting } from './fallback.js';
import type { Marking } from './marking/marking.js';
import { wantedRouting } from './routing.js';
import type { BuiltinThing, Thing } from './things.js';
import { pathOf, type Group } from './wayout.js';

/** The objects that must exist for these groups, which are all that are alive in this network namespace. */
export function wanted(alive: readonly Group[], facts: Facts, marking: Marking): Thing[] {
  // Rules in chains of iptables have an order. Sorting makes it the same for every caller.
  const groups = [...alive].sort((a, b) => a.slot - b.slot);
  return [
    ...machine(groups, facts),
    ...keeper(groups, facts),
    ...wantedRouting(groups, facts),
    ...fallbackRouting(groups, facts),
    ...marking.wanted(groups, facts),
    ...builtins(groups, facts),
    ...sysctls(groups, facts),
    ...groups.flatMap((group) => ofGroup(group, facts)),
  ];
}

function machine(groups: readonly Group[], { elsewhere, hierarchy, records }: Facts): Thing[] {
  if (!hasRecord(groups, records) && !elsewhere) return [];
  const mount = { kind: 'mount', id: 'mount', scope: 'machine', state: '', ...hierarchy } as const;
  return [runtimeDirectory(), ...(hierarchy.own ? [mount] : [])];
}

/** The runtime directory with its lock, as a thing. */
export const runtimeDirectory = (): Thing => ({
  kind: 'directory',
  id: 'directory',
  scope: 'machine',
  state: '',
  path: RUNTIME,
});

const keeper = (groups: readonly Group[], { keeper: command, namespace, records }: Facts): Thing[] =>
  hasRecord(groups, records) ? [keeperThing(namespace, 'alive', command)] : [];

/** A group that was made with another /run has no record in ours, and its keeper runs there. */
const hasRecord = (groups: readonly Group[], records: Facts['records']): boolean =>
  groups.some(({ uuid }) => records.has(uuid));

/** The keeper of a network namespace: alive, dead, or alive and of another version of via. */
export const keeperThing = (namespace: string, state: 'alive' | 'dead' | 'other', command: string): Thing => ({
  kind: 'keeper',
  id: 'keeper',
  scope: 'namespace',
  state,
  path: keeperFile(namespace),
  command,
});

/** Only for iptables-nft: the tables of iptables-legacy stay in the kernel once they were loaded. */
const builtins = (groups: readonly Group[], { absent = [], namespace }: Facts): Thing[] =>
  absent.length > 0 && groups.some(({ firewall }) => firewall === 'iptables-nft')
    ? [builtinThing(builtinText(absent), namespace, { 4: '', 6: '' })]
    : [];

/** The text of the record that lists the tables and chains of iptables-nft that did not exist before us. */
export const builtinText = (absent: readonly string[]): string => `${JSON.stringify(absent)}\n`;

/** That record as a thing. */
export const builtinThing = (text: string, namespace: string, take: BuiltinThing['take']): BuiltinThing => ({
  kind: 'builtin',
  id: 'builtin',
  scope: 'namespace',
  state: text,
  path: builtinFile(namespace),
  take,
});

/** Only for devices of ways out, and only where a reverse path filter would drop replies. */
function sysctls(groups: readonly Group[], facts: Facts): Thing[] {
  const devices = new Set(groups.flatMap(({ wayOut }) => pathOf(wayOut, 4)?.device ?? []));
  return [...devices].flatMap((device) => {
    const old = facts.filtered.get(device);
    return old === undefined ? [] : [sysctlThing(device, '1', old, facts.namespace)];
  });
}

/** A device's src_valid_mark, with the present value (`state`) and the original one (`old`). */
export const sysctlThing = (device: string, state: string, old: string, namespace: string): Thing => ({
  kind: 'sysctl',
  id: `sysctl ${device}`,
  scope: 'namespace',
  state,
  device,
  old,
  record: sysctlFile(device, namespace),
});

function ofGroup({ uuid, classId }: Group, { hierarchy, records }: Facts): Thing[] {
  const record = records.get(uuid);
  return [
    // A missing record of another group is left missing: the next launch of that group writes it again.
    ...(record === undefined ? [] : [recordThing(groupFile(uuid), record)]),
    cgroupThing(`${hierarchy.path}/via-${uuid}`, classId, hierarchy.own),
  ];
}

/** A file under /run/via, as a thing. */
export const recordThing = (path: string, content: string): Thing => ({
  kind: 'record',
  id: `record ${path}`,
  scope: 'group',
  state: content,
  path,
});

/** A group's directory in the net_cls hierarchy, as a thing. */
export const cgroupThing = (path: string, classId: number, tells: boolean): Thing => ({
  kind: 'cgroup',
  id: `cgroup ${path}`,
  scope: 'group',
  state: String(classId),
  path,
  tells,
});
