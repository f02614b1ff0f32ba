import { rmdirSync, writeFileSync } from 'node:fs';
import type { Marking } from '../plan/marking/marking.js';
import { startingKeeper } from '../plan/render.js';
import type { Change, RoutingThing, Thing } from '../plan/things.js';
import { FAMILIES } from '../plan/family.js';
import { clearAgent, setAgent, tellOf } from './agent.js';
import { ignoring, makeCgroup } from './cgroup.js';
import { removedNow } from './removal.js';
import { OWN_MOUNT } from '../plan/files.js';
import { endKeeper } from './keeper.js';
import { makeMountPoint, mountJob } from './mount.js';
import { clearPlace, removeFile, unusable } from './place.js';
import { setSrcValidMark } from './sysctl.js';
import { runTools, toolError, type Done, type Job } from './tools.js';

/**
 * Makes the changes. The keeper is started first, because it cleans up if this process dies. Then the tools run in
 * parallel, then files are written in their order, the cgroup last. A record is written before the thing it describes is
 * made, and removed after that thing was removed. Throws at the first change that fails.
 */
export function apply(changes: readonly Change[], marking: Marking, lock: number): void {
  const of = chooser(changes);
  for (const thing of [...of('remove', 'cgroup'), ...of('remove', 'sysctl')]) remove(thing);
  for (const thing of of('remove', 'mount')) if (thing.kind === 'mount') clearAgent(thing);
  // A keeper that has died has left its FIFO.
  for (const thing of of('add', 'keeper')) {
    remove(thing);
    if (thing.kind === 'keeper') clearPlace(thing.path);
  }
  for (const thing of of('add', 'record', 'builtin')) add(thing);
  for (const thing of of('add', 'mount')) if (thing.kind === 'mount') makeMountPoint(thing.path);
  const keepers = of('add', 'keeper').flatMap((thing) => (thing.kind === 'keeper' ? startingKeeper(thing) : []));
  const first = keepers.length === 0 ? {} : { first: ['command -v bash >/dev/null', ...keepers].join(' && ') };
  check(runTools(jobs(changes, marking), { fd: lock, take: false, shielded: true, ...first }));
  for (const thing of of('add', 'mount')) if (thing.kind === 'mount') setAgent(thing);
  for (const thing of [...of('add', 'sysctl'), ...of('add', 'cgroup')]) add(thing);
  removeLast(of);
}

/** Removes the things that must go last: records, mount points, the keeper, the directory. */
export function removeLast(of: Choose): void {
  for (const kind of ['record', 'builtin', 'mount', 'keeper', 'directory'] as const) of('remove', kind).forEach(remove);
}

/** Picks the things of a kind that are added or removed. */
type Choose = (what: 'add' | 'remove', ...kinds: readonly Thing['kind'][]) => Thing[];

/** Returns a function that picks things out of these changes. */
export const chooser =
  (changes: readonly Change[]): Choose =>
  (what, ...kinds) =>
    changes
      .filter((c) => (c.do === 'remove') === (what === 'remove') && kinds.includes(c.thing.kind))
      .map((c) => c.thing);

/** Throws if a job failed. */
export function check(done: readonly Done[] = []): void {
  for (const one of done) if (one.status !== 0) throw toolError(WHAT[one.job.argv[0]] ?? 'firewall', one);
}

const WHAT: Readonly<Record<string, string>> = { ip: 'route', nft: 'firewall', mount: 'cgroup', umount: 'cgroup' };

/** A change of a route or rule as a line of an `ip` batch. */
export type Line = (what: Change['do'], thing: RoutingThing) => string;

/** The line that makes or removes exactly that route or rule. */
export const line: Line = (what, { kind, words }) => `${kind} ${what === 'remove' ? 'del' : 'add'} ${words}`;

/** The processes for the changes that tools make. `lineOf` gives the line of a route or rule. */
export function jobs(changes: readonly Change[], marking: Marking, lineOf = line): Job[] {
  const mounts = changes.flatMap(({ do: what, thing }): Job[] => {
    if (thing.kind !== 'mount') return [];
    // Lazily (-l), so that a user's open file or working directory in the mount cannot block the unmount.
    if (what === 'remove') return [{ argv: ['umount', '-n', '-l', thing.path] }];
    return [mountJob(thing)];
  });
  return [
    ...marking.transactions(changes),
    // A process for each family: no line of a batch can name one for `rule` (iproute2, ip_batch_cmd).
    ...FAMILIES.flatMap((family): Job[] => {
      const lines = changes.flatMap(({ do: what, thing }) => {
        if ((thing.kind !== 'route' && thing.kind !== 'rule') || thing.family !== family) return [];
        return [`${lineOf(what, thing)}\n`];
      });
      const input = [...new Set(lines)].join('');
      // -force continues after an error: another tool's route in the place of one of ours must not block other groups.
      return input === '' ? [] : [{ argv: ['ip', `-${family}`, '-batch', '-', '-force'], input }];
    }),
    ...mounts,
  ];
}

function add(thing: Thing): void {
  if (thing.kind === 'cgroup') {
    makeCgroup(thing.path, Number(thing.state));
    if (thing.tells) tellOf(thing.path);
  }
  if (thing.kind === 'record' || thing.kind === 'builtin') writeRecord(thing.path, thing.state);
  if (thing.kind === 'sysctl') {
    writeRecord(thing.record, `${thing.old}\n`);
    setSrcValidMark(thing.device, thing.state);
  }
}

/** Removes a thing that is a file, or the files of a thing that a tool has removed. */
export function remove(thing: Thing): void {
  const absent = ['ENOENT'];
  if (thing.kind === 'cgroup') removedNow(thing.path);
  if (thing.kind === 'record' || thing.kind === 'builtin') removeFile(thing.path);
  if (thing.kind === 'sysctl') {
    setSrcValidMark(thing.device, thing.old);
    removeFile(thing.record);
  }
  if (thing.kind === 'keeper') endKeeper(thing.path);
  if (thing.kind === 'mount') ignoring([...absent, 'EBUSY', 'ENOTEMPTY'], () => rmdirSync(thing.path));
  if (thing.kind === 'directory') {
    removeFile(`${thing.path}/lock`);
    // The mount point may be left from a mount that was refused.
    ignoring([...absent, 'EBUSY', 'ENOTDIR', 'ENOTEMPTY'], () => rmdirSync(OWN_MOUNT));
    // The directory stays if it has another tool's file, or a record of a namespace that was not swept yet, or if it is a
    // mount point (rmdir(2)).
    ignoring([...absent, 'EBUSY', 'EROFS', 'ENOTEMPTY'], () => rmdirSync(thing.path));
  }
}

function writeRecord(path: string, text: string): void {
  // Never through a link that somebody put there: the directory is root's alone, and so is what is in it.
  clearPlace(path);
  try {
    // Never through a symbolic link.
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw unusable(path, error);
  }
}
