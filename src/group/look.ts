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
import type { Firewall, Thing } from '../plan/things.js';
import { cgroupThing, sysctlThing } from '../plan/wanted.js';
import { brokenBecause, unanswered } from '../gateway/health.js';
import type { Known } from '../gateway/known.js';
import { FAMILIES, pathName, pathOf, type Family, type Group, type Path } from '../plan/wayout.js';
import { groupOf } from './alive.js';
import { factsOf } from './facts.js';
import { followed, followedText } from './follow.js';
import { builtinsOf, firewallJobs, firewallsIn, type Firewalls } from './firewalls.js';
import { readRecords, type Records } from '../state/records.js';
import { wasLost } from '../state/state.js';
import { keeperThings, machineThings, recordThings, uselessRecords } from './traces.js';

/** The system as it is: all that a launch, a leave and a sweep decide by. */
export interface System {
  readonly hierarchy: Hierarchy;
  /** Our cgroups of the whole machine. */
  readonly cgroups: readonly Cgroup[];
  /** The groups of this network namespace that are alive. */
  readonly groups: readonly Group[];
  /** Everything with our tag that exists here. */
  readonly things: readonly Thing[];
  readonly facts: Facts;
  readonly routing: { readonly [F in Family]: Routing };
  readonly firewall: Firewalls;
  readonly records: Records;
  /** Not root: which groups there are, and what is theirs, could not be read. */
  readonly blind: boolean;
}

/** How to look: what to do with a group that has no member (true: it is gone). */
export interface Manner {
  readonly sweep: (cgroup: Cgroup) => boolean;
  /** Whether to mount the hierarchy where it may hide groups of which there are traces. */
  readonly mounts?: boolean;
  /** As somebody who may not read what belongs to groups. */
  readonly blind?: boolean;
}

/**
 * Under the lock: empty groups are removed as they are met, but for those whose last members have sent what is still on
 * its way: by main it would go on without the group's rules. A keeper sees to these.
 */
export const SWEEPING: Manner = {
  sweep: ({ path, classId }) => endingsOf(classId).length === 0 && removedNow(path),
  mounts: true,
};

/** Without the lock: empty groups count as gone, and are left. */
export const WATCHING: Manner = { sweep: () => true };

/** As a user. */
export const BLIND: Manner = { sweep: () => true, blind: true };

/** The processes that read the kernel, to be run at the same time; given are the firewalls to look at in any case. */
export const lookJobs = (...firewalls: readonly Firewall[]): Job[] => [
  ...lookJobsOfUser(),
  ...firewallJobs(firewalls, readRecords()),
];

/** Those that anybody may run: without the firewalls. */
export const lookJobsOfUser = (): Job[] => [readJob(4), ...(hasV6() ? [readJob(6)] : [])];

/** Puts together what those processes printed and what the kernel's files say. Throws where a tool failed. */
export function look(done: readonly Done[], { sweep, mounts = false, blind = false }: Manner): System {
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
    keeper: keeperCommand(hierarchy.path, namespace),
    ...factsOf(routing, firewall, oldMarks),
    // Nothing is to be sent that would have another device's source.
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
    // Those of a via that sees another /run need nothing of ours.
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
    ...keeperThings(facts),
    ...uselessRecords(records, cgroups, tagged.length > 0 ? [] : marks, namespace, groups.length > 0),
  ];
  // Without the groups, all that is theirs would pass for leftovers.
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

/** Those of the groups' paths of which this gives a reason why they cannot be used now. */
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
