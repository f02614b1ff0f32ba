import { chmodSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { isViaError, ViaError } from '../failure.js';
import { detachFrom } from '../group/attach.js';
import { askFor } from '../group/ask.js';
import { askEarly } from '../group/choose.js';
import { enter } from '../group/enter.js';
import { leave } from '../group/leave.js';
import { moveAll, sorted } from '../group/move.js';
import { tellOwner } from '../state/news.js';
import { ignoring, membersOf } from '../kernel/cgroup.js';
import { isTracking, keepConnections, restartAttempts } from '../kernel/connections.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { descendants, groupOf, movable, noProcess, refusal, type Movable } from '../kernel/moving.js';
import { isRoot, netnsOf } from '../kernel/proc.js';
import { openToOthers, runAsRoot } from '../kernel/trusted.js';
import { RUNTIME } from '../plan/files.js';
import { makeSay } from '../say.js';
import { callerOf, checkAsker } from './asker.js';
import { readDocument, readPids, type Document } from './document.js';
import { openInput, type Input } from './input.js';
import { groupAround, makeOwn, outName, ownName } from './own.js';
import { allowFor } from './quota.js';

/**
 * What is run as root for a user who may ask for it: makes or reuses a group of his, and keeps it until he is in. He
 * joins by himself, which the kernel lets him with his own processes only, so that no process is moved into a group by its
 * number; out of one it is, after all that is known of it has been looked at again.
 */
async function main(): Promise<void> {
  if (process.argv.length > 2) throw new ViaError('set-up', '', 'takes no arguments');
  if (!isRoot()) throw new ViaError('set-up', '', 'not root');
  for (const file of [process.argv[1] ?? '', process.execPath, ...runAsRoot()]) {
    const open = openToOthers(file);
    if (open !== undefined) throw new ViaError('set-up', open, 'others than root can change it');
  }
  outOfReach();
  const caller = callerOf(process.env);
  const input = openInput();
  const document = readDocument(await input.line());
  const check = (): void => checkAsker(document, caller);
  check();

  // So that he gets to what is his; everything else in there stays root's alone.
  const open = (make: () => string): string => {
    chmodSync(RUNTIME, 0o711);
    const path = make();
    check();
    return path;
  };
  const request = { document, caller, check, input, open };
  await { launch: letIn, attach: letIn, none: letOut, detach: letGo }[document.word](request);
}

interface Requested {
  readonly document: Document;
  readonly caller: number;
  readonly check: () => void;
  readonly input: Input;
  readonly open: (make: () => string) => string;
}

async function letIn({ document, caller, check, input, open }: Requested): Promise<void> {
  const changes: string[] = [];
  const tell = (lines: () => readonly string[]): void => void (document.verbose && changes.push(...lines()));
  const wish = { ...askFor(document.gateway, document), owner: caller, allow: allowFor(caller), check };
  const ask = await askEarly(wish);
  const wasTracking = isTracking();
  const others = (): number[] => joining(document, caller);
  const membership = await enter(ask, tell);
  let path: string | undefined;
  try {
    path = open(() => makeOwn(membership.path, ownName(caller, document, netnsOf('self') ?? ''), caller));
    tellOwner(membership.uuid, undefined, true);
    const error = keepConnections(others(), wasTracking);
    answer({ path, changes, errors: error === undefined ? [] : [error.message] });
    // He is in, or has ended.
    await input.end();
    restartAttempts(others());
  } finally {
    if (path === undefined || !isUsed(path)) await leave(membership, () => {});
  }
}

/** The asking process is in the group until it has joined what is made for it there, of no class, so that stays. */
async function letOut({ document, caller, input, open }: Requested): Promise<void> {
  const group = groupAround(document.pid, findHierarchy().path);
  if (group === undefined) throw new ViaError('set-up', `process ${document.pid}`, 'in no group');
  answer({ path: open(() => makeOwn(group, outName(caller), caller, 0)), changes: [], errors: [] });
  await input.end();
}

/** Others leave the caller's own groups, and no others: out of root's he is not to get them by this. */
async function letGo({ document, caller, check }: Requested): Promise<void> {
  const { pids, tree, verbose, pid: asker } = document;
  const changes: string[] = [];
  const errors: string[] = [];
  const tell = (lines: () => readonly string[]): void => void (verbose && changes.push(...lines()));
  const fail = (error: unknown): void => void errors.push(error instanceof Error ? error.message : String(error));
  const gone: number[] = [];
  await detachFrom(tell, (root, groups) => {
    const owned = groups.filter(({ owner }) => owner === caller).map(({ uuid }) => uuid);
    const isMine = (pid: number): Movable => {
      const one = movable(pid, caller);
      const group = groupOf(pid);
      // Who has started one that is in a group need not be in one.
      if (owned.includes(group ?? '') || (group === undefined && tree)) return one;
      throw refusal(pid, group === undefined ? 'in no group' : 'in a group of another user', 'use sudo');
    };
    const { errors: refused, found } = named(pids, isMine);
    refused.forEach(fail);
    check();
    const end = performance.now() + LONGEST_WALK;
    moveAll(found, root, { tree, check: isMine, tell, fail, after: (some) => gone.push(...some), except: asker, end });
  });
  // Without the lock: it takes as long as he has descriptors.
  restartAttempts(gone);
  answer({ changes, errors });
}

/**
 * How long a user's processes are moved at most, in milliseconds: that is done under the lock, and others wait for it,
 * while he can start new ones, and move back what was moved.
 */
const LONGEST_WALK = 5000;

/** The other processes that are to join: the caller's alone. */
function joining({ pids, tree }: Document, caller: number): number[] {
  if (pids === '') return [];
  const check = (pid: number): Movable => movable(pid, caller);
  const all = named(pids, check).found.map(({ pid }) => pid);
  return tree ? [...all, ...sorted(descendants(all), check).found.map(({ pid }) => pid)] : all;
}

/** Those that were named, where they are still the same, and the errors of the others. */
function named(pids: string, check: (pid: number) => Movable): ReturnType<typeof sorted> {
  const starts = new Map(readPids(pids).map(({ pid, start }) => [pid, start]));
  return sorted([...starts.keys()], (pid) => {
    const one = check(pid);
    if (one.start !== starts.get(pid)) throw noProcess(pid);
    return one;
  });
}

/** The part of a session that its user may freeze: while we hold the lock, he must not keep others out. */
function outOfReach(): void {
  process.umask(0o077);
  process.chdir('/');
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  if (!lines.some((line) => /^\d+:(name=systemd)?:\/.*\.(scope|service)/.test(line))) return;
  for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'])
    ignoring(['ENOENT', 'EACCES', 'EROFS', 'EOPNOTSUPP', 'EBUSY'], () =>
      writeFileSync(`${root}/cgroup.procs`, '0', { flag: 'r+' }),
    );
}

const isUsed = (path: string): boolean => (ignoring(['ENOENT', 'ENODEV'], () => membersOf(path)) ?? []).length > 0;

const answer = (words: object): void => void writeSync(1, `${JSON.stringify(words)}\n`);

main().then(
  () => process.exit(0),
  (error: unknown) => {
    if (isViaError(error)) ignoring(['EPIPE', 'EBADF', 'EAGAIN'], () => answer({ error: error.message }));
    makeSay(false).error(error);
    process.exit(125);
  },
);
