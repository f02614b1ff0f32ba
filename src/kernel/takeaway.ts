import type { Marking } from '../plan/marking/marking.js';
import type { Change } from '../plan/things.js';
import { check, chooser, jobs, line, remove, removeLast, type Line } from './apply.js';
import { clearing } from './agent.js';
import { putBack } from './sysctl.js';
import { runTools, type Job } from './tools.js';

/** Seconds: a keeper has the lock for some hundredths when it looks. */
const PATIENCE = 1;

/** What takeAway needs beside the changes (see there). */
export interface Conditions {
  readonly only: string;
  readonly name: string;
  readonly hierarchy: string;
  /** Runs at the same time; what comes of it does not matter. */
  readonly beside: readonly Job[];
}

/**
 * Makes changes that only remove, in one go with taking the lock; false, and nothing is changed, where somebody else has
 * it for long, where `only` fails (see Hold), or where a group cannot be removed or there is another one in the `hierarchy`. Throws
 * at the first that fails. `name` is one that no table of anybody's has.
 */
export function takeAway(
  removals: readonly Change[],
  marking: Marking,
  lock: number,
  { only, name, hierarchy, beside }: Conditions,
): boolean {
  const of = chooser(removals);
  const groups = of('remove', 'cgroup').flatMap((thing) => (thing.kind === 'cgroup' ? [`rmdir ${thing.path}`] : []));
  // A via that sees another /run may have made one under the same rules.
  const isEmpty = `{ set -- ${hierarchy}/via-*; [ ! -e "$1" ]; }`;
  // Before the rules go, by which a record of a setting is known to be of this network namespace.
  const sysctls = of('remove', 'sysctl').flatMap((thing) => (thing.kind === 'sysctl' ? [putBack(thing)] : []));
  const answering = jobs(removals, marking, wholeTable).map((job) =>
    job.argv[0] === 'nft' ? answerOf(job, name) : job,
  );
  const agents = of('remove', 'mount').flatMap((thing) => (thing.kind === 'mount' ? clearing(thing) : []));
  const conditions = [only, ...groups, isEmpty, ...agents, ...sysctls].join(' && ');
  const done = runTools([...answering, ...beside], {
    fd: lock,
    take: true,
    wait: PATIENCE,
    shielded: true,
    only: conditions,
  });
  if (done === undefined) return false;
  for (const thing of of('remove', 'sysctl')) remove(thing);
  check(done.slice(0, answering.length));
  removeLast(of);
  return true;
}

/**
 * Of a table goes all that has our tag: somebody may have put more there. Its last route goes before, by itself: a flush
 * leaves those of IPv6 on `lo` where they are.
 */
const wholeTable: Line = (what, thing) =>
  thing.kind === 'rule' || thing.words.startsWith('unreachable')
    ? line(what, thing)
    : `route flush ${/table \d+ proto \d+$/.exec(thing.words)?.[0]}`;

/**
 * What was removed makes nft(8) wait for an RCU grace period and more, some 15 ms, when it closes its socket: the kernel
 * frees it then (nf_tables_api.c, nft_rcv_nl_event). That it was removed it says before, by the echo (-e) of a table that
 * comes and goes in the same transaction.
 */
const answerOf = ({ input = '' }: Job, name: string): Job => ({
  argv: ['stdbuf', '-oL', 'nft', '-e', '-f', '-'],
  input: `${input}add table inet ${name}\ndelete table inet ${name}\n`,
  answer: `add table inet ${name}`,
});
