import type { Cgroup } from '../kernel/cgroup.js';
import type { Hierarchy } from '../kernel/hierarchy.js';
import { keeperLives } from '../kernel/keeper.js';
import { netnsExists } from '../kernel/proc.js';
import type { Facts } from '../plan/facts.js';
import type { Thing } from '../plan/things.js';
import { builtinFile, keeperFile, groupFile, sysctlFile } from '../plan/files.js';
import { keeperThing, recordThing, runtimeDirectory } from '../plan/wanted.js';
import type { Group } from '../plan/wayout.js';
import { srcValidMark } from '../kernel/sysctl.js';
import type { Records, SysctlRecord } from '../state/records.js';

/** The existing things that all groups of the machine share. */
export function machineThings(hierarchy: Hierarchy, records: Records): Thing[] {
  const mount: Thing = { kind: 'mount', id: 'mount', scope: 'machine', state: '', ...hierarchy };
  return [...(records.exists ? [runtimeDirectory()] : []), ...(hierarchy.own && hierarchy.mounted ? [mount] : [])];
}

/** The keeper of this network namespace. The one beside rules of another version is of that version, too. */
export function keeperThings({ namespace, keeper }: Facts, isOther: boolean): Thing[] {
  const lives = keeperLives(keeperFile(namespace));
  return lives === undefined ? [] : [keeperThing(namespace, lives ? (isOther ? 'other' : 'alive') : 'dead', keeper)];
}

/**
 * The records of this network namespace's groups, and of network namespaces that are gone. A record of another namespace
 * stays even if its group is gone: it names the firewall whose rules only a via of that namespace can remove.
 */
export function recordThings(
  { groups: records }: Records,
  cgroups: readonly Cgroup[],
  groups: readonly Group[],
  namespace: string,
): Thing[] {
  const elsewhere = new Set(cgroups.map(({ uuid }) => uuid).filter((uuid) => !groups.some((one) => one.uuid === uuid)));
  const isOurs = (uuid: string, of: string): boolean => !elsewhere.has(uuid) && (of === namespace || !netnsExists(of));
  return [...records]
    .filter(([uuid, { record }]) => isOurs(uuid, record.namespace))
    .map(([uuid, { text }]) => recordThing(groupFile(uuid), text));
}

/**
 * Files that are not needed: records that a killed via was writing, FIFOs of killed keepers, records of settings (`marks`,
 * if nothing else of ours is left) that are already restored, and, if no group is left, records of network namespaces
 * that are gone.
 */
export function uselessRecords(
  { broken, sysctls, builtins, kept, mends, keepers }: Records,
  cgroups: readonly Cgroup[],
  marks: readonly SysctlRecord[],
  namespace: string,
  isUsed: boolean,
): Thing[] {
  const isGone = ({ namespace }: { namespace: string }): boolean => cgroups.length === 0 && !netnsExists(namespace);
  const isPutBack = (mark: SysctlRecord): boolean => marks.includes(mark) && srcValidMark(mark.device) === mark.old;
  const paths = [
    ...sysctls
      .filter((mark) => isPutBack(mark) || isGone(mark))
      .map(({ device, namespace }) => sysctlFile(device, namespace)),
    ...builtins.filter(isGone).map(({ namespace }) => builtinFile(namespace)),
  ];
  const alive = new Set(cgroups.map(({ uuid }) => uuid));
  const states = kept.filter(({ uuid }) => !alive.has(uuid)).map(({ path }) => path);
  const past = mends.filter((one) => (one.namespace === namespace ? !isUsed : isGone(one))).map(({ path }) => path);
  const dead = keepers.filter((path) => path !== keeperFile(namespace) && keeperLives(path) === false);
  return [...broken, ...paths, ...states, ...past, ...dead].map((path) => recordThing(path, ''));
}
