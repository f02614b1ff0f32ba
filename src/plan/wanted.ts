import type { Facts } from './facts.js';
import { fallbackRouting } from './fallback.js';
import type { Marking } from './marking/marking.js';
import { wantedRouting } from './routing.js';
import type { BuiltinThing, Thing } from './things.js';
import { pathOf, type Group } from './wayout.js';

/** Root's directory for what the kernel cannot tell, and for the lock. */
export const RUNTIME = '/run/via';

/** The objects that ought to exist for these groups, which are all that are alive in this network namespace. */
export function wanted(alive: readonly Group[], facts: Facts, marking: Marking): Thing[] {
  // In chains of iptables rules have an order, which is the same whoever looks.
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

/** A group of a via that sees another /run needs nothing in ours, and has a keeper there. */
const hasRecord = (groups: readonly Group[], records: Facts['records']): boolean =>
  groups.some(({ uuid }) => records.has(uuid));

/** The FIFO of a network namespace's keeper. */
export const keeperFile = (namespace: string): string => `${RUNTIME}/keeper-${namespace.replace(/\D/g, '')}`;

/** The file of what a namespace's keeper has made again lately. */
export const mendsFile = (namespace: string): string => `${RUNTIME}/mends-${namespace.replace(/\D/g, '')}`;

/** The keeper of a network namespace, alive or dead. */
export const keeperThing = (namespace: string, state: 'alive' | 'dead', command: string): Thing => ({
  kind: 'keeper',
  id: 'keeper',
  scope: 'namespace',
  state,
  path: keeperFile(namespace),
  command,
});

/** Only where iptables keeps its rules in nf_tables: its other variant has its tables from the kernel, and for good. */
const builtins = (groups: readonly Group[], { absent = [], namespace }: Facts): Thing[] =>
  absent.length > 0 && groups.some(({ firewall }) => firewall === 'iptables-nft')
    ? [builtinThing(builtinText(absent), namespace, { 4: '', 6: '' })]
    : [];

/** The text of the record of what of iptables' tables was not there before us. */
export const builtinText = (absent: readonly string[]): string => `${JSON.stringify(absent)}\n`;

/** The file that keeps it. */
export const builtinRecord = (namespace: string): string => `${RUNTIME}/iptables-${namespace.replace(/\D/g, '')}`;

/** The record as a thing. */
export const builtinThing = (text: string, namespace: string, take: BuiltinThing['take']): BuiltinThing => ({
  kind: 'builtin',
  id: 'builtin',
  scope: 'namespace',
  state: text,
  path: builtinRecord(namespace),
  take,
});

/** Only where a reverse path filter would drop the answers, and only on the way out's own device. */
function sysctls(groups: readonly Group[], facts: Facts): Thing[] {
  const devices = new Set(groups.flatMap(({ wayOut }) => pathOf(wayOut, 4)?.device ?? []));
  return [...devices].flatMap((device) => {
    const old = facts.filtered.get(device);
    return old === undefined ? [] : [sysctlThing(device, '1', old, facts.namespace)];
  });
}

/** The file that keeps a device's src_valid_mark before us. */
export const sysctlRecord = (device: string, namespace: string): string =>
  `${RUNTIME}/sysctl-${namespace.replace(/\D/g, '')}-${device}`;

/** A device's src_valid_mark, as it is (`state`) and as it was before us. */
export const sysctlThing = (device: string, state: string, old: string, namespace: string): Thing => ({
  kind: 'sysctl',
  id: `sysctl ${device}`,
  scope: 'namespace',
  state,
  device,
  old,
  record: sysctlRecord(device, namespace),
});

function ofGroup({ uuid, classId }: Group, { hierarchy, records }: Facts): Thing[] {
  const record = records.get(uuid);
  return [
    // Somebody took the record of another's group away: its next launch knows what was in it.
    ...(record === undefined ? [] : [recordThing(`${RUNTIME}/group-${uuid}`, record)]),
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
