import { listCgroups, type Cgroup } from '../kernel/cgroup.js';
import { endingsOf } from '../kernel/endings.js';
import { findHierarchy, type Hierarchy } from '../kernel/hierarchy.js';
import { hasGroups, mountAgain } from '../kernel/mount.js';
import { findAgent } from '../kernel/agent.js';
import { keeperCommand } from '../kernel/keeper.js';
import { hasV6, netnsOf } from '../kernel/proc.js';
import { removedNow } from '../kernel/removal.js';
import { isOurs, NO_ROUTING, parseRouting, readJob, routingThings, type Routing } from '../kernel/routing.js';
import { srcValidMark } from '../kernel/sysctl.js';
import { toolError, type Done, type Job } from '../kernel/tools.js';
import type { Facts } from '../plan/facts.js';
import { byOtherVersion } from '../plan/marking/rules.js';
import type { Firewall, Thing } from '../plan/things.js';
import { cgroupThing, sysctlThing } from '../plan/wanted.js';
import { brokenBecause, unanswered } from '../gateway/health.js';
import type { Known } from '../gateway/known.js';
import { FAMILIES, type Family } from '../plan/family.js';
import { pathName, pathOf, type Group, type Path } from '../plan/wayout.js';
import { groupOf } from './alive.js';
import { factsOf } from './facts.js';
import { followed, followedText } from './follow.js';
import { builtinsOf, firewallJobs, firewallsIn, type Firewalls } from './firewalls.js';
import { readRecords, type Records } from '../state/records.js';
import { wasLost } from '../state/state.js';
import { keeperThings, machineThings, recordThings, uselessRecords } from './traces.js';

/** The state of the system. All decisions of a launch, a leave and a sweep depend on it. */
export interface System {
  readonly hierarchy: Hierarchy;
  /** Our cgroups on the whole machine. */
  readonly cgroups: readonly Cgroup[];
  /** The groups of this network namespace that are alive. */
  readonly groups: readonly Group[];
  /** Everything with our tag that exists here. */
  readonly things: readonly Thing[];
  readonly facts: Facts;
  readonly routing: { readonly [F in Family]: Routing };
  readonly firewall: Firewalls;
  readonly records: Records;
  /** Read without root: the groups and their things are missing. */
  readonly blind: boolean;
}

/** The ways of looking. */
export interface LookOptions {
  /** Called for a group without members. Returns true if the group is gone, or counts as gone. */
  readonly sweep: (cgroup: Cgroup) => boolean;
  /** Mount the hierarchy if there are traces of groups that an unmounted hierarchy may hide. */
  readonly mounts?: boolean;
  /** Read only what any user may read. */
  readonly blind?: boolean;
}

/**
 * With the lock: empty groups are removed, except those whose last members still have data to send. Without the group's
 * rules that data would leave by main. The keeper removes these groups later.
 */
export const REMOVE_EMPTY: LookOptions = {
  sweep: ({ path, classId }) => endingsOf(classId).length === 0 && removedNow(path),
  mounts: true,
};

/** Without the lock: empty groups count as gone, but are not removed. */
export const READ_ONLY: LookOptions = { sweep: () => true };

/** Without root. */
export const AS_USER: LookOptions = { sweep: () => true, blind: true };

/** The processes that read the kernel, to run in parallel. The given firewalls are read in any case. */
export const lookJobs = (...firewalls: readonly Firewall[]): Job[] => [
  ...lookJobsOfUser(),
  ...firewallJobs(firewalls, readRecords()),
];

/** Those that need no root: without the firewalls. */
export const lookJobsOfUser = (): Job[] => [readJob(4), ...(hasV6() ? [readJob(6)] : [])];

/** Combines the output of those processes with the kernel's files. Throws if a tool failed. */
export function look(done: readonly Done[], { sweep, mounts = false, blind = false }: LookOptions): System {
  const v6 = hasV6();
  const [first, second] = done;
  const routing = { 4: routingOf(first), 6: v6 ? routingOf(second) : NO_ROUTING };
  const firewall = firewallsIn(done);
  const records = readRecords();
  const traces = routing[4].rules.some(isOurs) || firewall.things.length > 0 || records.groups.size > 0;
  const found = mounts && traces && hasGroups() ? mountAgain() : findHierarchy();
  const agent = found.own ? findAgent() : undefined;
  const hierarchy = agent === undefined ? found : { ...found, agent };
  const namespace = netnsOf('self') ?? '';
  const known = hierarchy.mounted && !blind ? listCgroups(hierarchy.path) : [];
  const gone = known.filter((cgroup) => cgroup.members.length === 0 && sweep(cgroup));
  const cgroups = known.filter((cgroup) => !gone.includes(cgroup));
  const kernel: Known = { routing, v6 };
  const recordOf = (uuid: string) => records.groups.get(uuid)?.record;
  const groups = cgroups
    .flatMap((cgroup) => groupOf(cgroup, firewall.groups, records, namespace) ?? [])
    .map((group) => followed(group, recordOf(group.uuid), kernel));
  const tagged = [...routingThings(4, routing[4]), ...routingThings(6, routing[6]), ...firewall.things];
  const builtins = builtinsOf(firewall, records, namespace, tagged.length > 0);
  const marks = records.sysctls.filter((record) => record.namespace === namespace);
  const oldMarks = tagged.length > 0 ? marks : [];
  const facts: Facts = {
    v6,
    namespace,
    hierarchy,
    keeper: keeperCommand(hierarchy, namespace),
    ...factsOf(routing, firewall, oldMarks),
    // Packets must not leave with another device's source address.
    broken: pathsThat(groups, (path, family, { wayOut }) => brokenBecause(path, family, kernel, wayOut)),
    unanswered: pathsThat(groups, (path, family, { uuid }) =>
      unanswered(path, family, kernel, () => wasLost(uuid, family)),
    ),
    ...(builtins.absent === undefined ? {} : { absent: builtins.absent }),
    records: new Map(
      [...records.groups].map(([uuid, { record, text }]) => {
        const group = groups.find((one) => one.uuid === uuid);
        return [uuid, group === undefined ? text : followedText(record, text, group)];
      }),
    ),
    // Groups that were made with another /run have no record here and need nothing of ours.
    elsewhere: cgroups.some(({ uuid }) => records.groups.has(uuid) && !groups.some((group) => group.uuid === uuid)),
  };
  const machine = machineThings(hierarchy, records);
  const things = [
    ...tagged,
    ...machine,
    ...builtins.things,
    ...oldMarks.map(({ device, old }) => sysctlThing(device, srcValidMark(device), old, namespace)),
    ...[...groups, ...gone].map(({ uuid, classId }) =>
      cgroupThing(`${hierarchy.path}/via-${uuid}`, classId, hierarchy.own),
    ),
    ...recordThings(records, cgroups, groups, namespace),
    ...keeperThings(facts, byOtherVersion(firewall.things).size > 0),
    ...uselessRecords(records, cgroups, tagged.length > 0 ? [] : marks, namespace, groups.length > 0),
  ];
  // Without the groups, their things would count as left over.
  return {
    hierarchy,
    cgroups,
    groups,
    things: blind ? machine : things,
    facts,
    routing,
    firewall,
    records,
    blind,
  };
}

/** The names of the groups' paths for which `fails` gives a reason. */
function pathsThat(
  groups: readonly Group[],
  fails: (path: Path, family: Family, group: Group) => string | undefined,
): Set<string> {
  const names = groups.flatMap((group) =>
    FAMILIES.flatMap((family) => {
      const path = pathOf(group.wayOut, family);
      return path === undefined || fails(path, family, group) === undefined ? [] : [pathName(family, group)];
    }),
  );
  return new Set(names);
}

function routingOf(done: Done | undefined): Routing {
  if (done === undefined) return NO_ROUTING;
  if (done.status !== 0) throw toolError('routes', done);
  return parseRouting(done.output);
}
