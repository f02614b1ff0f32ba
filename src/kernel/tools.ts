import { spawnSync } from 'node:child_process';
import { ViaError, wordsOf } from '../failure.js';
import { NO_NET_CLS } from './hierarchy.js';

/** One process of a tool: its arguments and its standard input. */
export interface Job {
  readonly argv: readonly [string, ...string[]];
  readonly input?: string;
  /** A shell command that runs after it has succeeded. The result of that command is ignored. */
  readonly after?: string;
  /** The first line that it prints on success. Its exit is then not waited for, since that takes long. */
  readonly answer?: string;
}

/** The result of a job; `status` is 127 if the tool is not installed. */
export interface Done {
  readonly job: Job;
  readonly status: number;
  /** Its standard output and standard error. */
  readonly output: string;
}

/** The environment of every tool: nothing of the caller's, and messages in the C locale. */
export const TOOL_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * A session of its own protects the shell from signals to our process group from the start; a trap would be set too
 * late. spawnSync accepts this option as spawn does, although Node does not document it there.
 */
const OWN_SESSION: object = { detached: true };

/** Added to the exit status of flock(1), which is 1 if the lock is held, to distinguish it from other failures. */
const FLOCK = 64;

/** Above all exit statuses of flock(1) (sysexits.h goes up to 78). */
const FIRST_FAILED = 100;

/** The lock that jobs run under. It is their descriptor 3. */
export interface Hold {
  readonly fd: number;
  /** Take the lock first. */
  readonly take: boolean;
  /** Wait this many seconds for it. */
  readonly wait?: number;
  /** Run the jobs in a session of their own, so that signals to our process group do not interrupt a change. */
  readonly shielded?: boolean;
  /** Shell commands that run before all jobs, without the jobs' descriptors. If they fail, no job runs. */
  readonly first?: string;
  /** A shell condition that is checked with the lock held. If it fails, nothing runs. */
  readonly only?: string;
}

/**
 * Runs jobs in parallel under one shell, which starts them three times as fast as Node does and needs no event loop.
 * Returns undefined if another process holds the lock, or if the condition failed. Every job holds the lock while it
 * runs, so that the lock stays taken when via is killed.
 */
export function runTools(jobs: readonly Job[], lock?: Hold): Done[] | undefined {
  if (jobs.length === 0 && lock?.take !== true && lock?.first === undefined) return [];
  const { status, output, error } = spawnSync('/bin/sh', [], {
    input: script(jobs, lock),
    env: TOOL_ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'ignore', lock?.fd ?? 'ignore', ...jobs.map(() => 'pipe' as const)],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(lock?.shielded === true ? OWN_SESSION : {}),
  });
  if (error !== undefined) throw new ViaError('shell', '/bin/sh', wordsOf(error), { cause: error });
  if (status === FLOCK + 1) return undefined;
  const codes = (output[1] ?? '').split('\n').filter((line) => line !== '');
  if (status === FLOCK + FIRST_FAILED) {
    throw new ViaError('keeper', '', 'cannot be started', {
      hint: 'it needs bash, mkfifo and setsid, and room in /run',
    });
  }
  if (status !== null && status !== 0) throw flockError(status - FLOCK);
  if (status === null || codes.length !== jobs.length) {
    throw new Stopped('tools', names(jobs), 'stopped before they were done');
  }
  return jobs.map((job, i) => ({ job, status: Number(codes[i]), output: output[FIRST + i] ?? '' }));
}

/** The shell that ran the jobs was killed. Some of the jobs may have run. */
export class Stopped extends ViaError {}

/** The descriptor of the first job's output. A POSIX shell has single digits only, so there are at most six jobs. */
const FIRST = 4;

const names = (jobs: readonly Job[]): string => jobs.map(({ argv }) => argv[0]).join(', ') || 'flock';

/** The shell script for the jobs. It contains only our own words and numbers, so nothing needs quoting. */
function script(jobs: readonly Job[], lock: Hold | undefined): string {
  const closed = jobs.map((_, n) => `${FIRST + n}>&-`).join(' ');
  const starts = jobs.map(({ argv, input, after, answer }, i) => {
    const stdin = input === undefined ? '</dev/null &' : `<<'END-OF-INPUT' &\n${input}END-OF-INPUT`;
    const command = after === undefined ? argv.join(' ') : `{ ${argv.join(' ')} && { ${after} 2>/dev/null || :; }; }`;
    if (answer === undefined) return `${command} >&${FIRST + i} 2>&1 ${stdin}\np${i}=$!`;
    // The tool must not hold our pipes, because Node reads them until they are closed.
    const first = `IFS= read -r line; printf '%s\\n' "$line" >&${FIRST + i}; [ "$line" = '${answer}' ]`;
    return `{ ${command} 2>&1 ${closed} ${stdin}\n} | { ${first}; } &\np${i}=$!`;
  });
  const waits = jobs.map((_, i) => `wait $p${i}; echo $?`);
  const take = lock?.take === true ? `${taking(lock.wait)}\n[ $got -eq 0 ] || exit $((got + ${FLOCK}))` : '';
  const ask = lock?.only === undefined ? '' : `{ ${lock.only}; } || exit ${FLOCK + 1}`;
  const first = lock?.first === undefined ? '' : `{ ${lock.first}; } 3>&- ${closed} || exit ${FLOCK + FIRST_FAILED}`;
  return [take, ask, first, ...starts, ...waits, ''].join('\n');
}

/**
 * Without a timer flock(1) ends with 71: a caller's `ulimit -i` may leave no room for one (timer_create(2)). Then it asks
 * once more after that time.
 */
function taking(wait: number | undefined): string {
  if (wait === undefined) return 'flock -n 3; got=$?';
  return `flock -w ${wait} 3; got=$?
[ $got -ne 71 ] || { flock -n 3 || { sleep ${wait}; flock -n 3; }; got=$?; }`;
}

function flockError(status: number): ViaError {
  return toolError('lock', { job: { argv: ['flock'] }, status, output: '' });
}

/** The error for a job that failed: the tool's own message, with a hint for known ones. */
export function toolError(what: string, { job, status, output }: Done): ViaError {
  const [tool] = job.argv;
  if (status === 127) return new ViaError(what, tool, 'not found', { hint: `install ${packageOf(tool)}` });
  const words = output
    .trim()
    .split('\n')
    .filter((line) => line !== '' && !line.includes('dmesg(1)'))
    .slice(0, 3)
    .join('; ');
  const why = words === '' ? `exit status ${status}` : words;
  const hint = HINTS.find(([pattern]) => pattern.test(why))?.[1];
  return new ViaError(what, tool, why, hint === undefined ? {} : { hint });
}

const packageOf = (tool: string): string => PACKAGES[tool] ?? (/^ip6?tables/.test(tool) ? 'iptables' : tool);

const PACKAGES: Readonly<Record<string, string>> = { nft: 'nftables', ip: 'iproute2', flock: 'util-linux' };

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /not permitted|permission denied/i,
    'via needs CAP_NET_ADMIN, and CAP_SYS_ADMIN to mount; a container may not have them',
  ],
  // mount(8), if the kernel does not have the hierarchy or controller.
  [/wrong fs type|unknown filesystem type/, NO_NET_CLS],
  // xtables-nft(8), if a table of iptables contains rules that nft(8) added.
  [
    /Parsing nftables rule failed|is incompatible, use 'nft' tool/,
    'a table of iptables has rules of nft; --firewall=nft',
  ],
];
