import { spawnSync } from 'node:child_process';
import { ViaError, wordsOf } from '../failure.js';
import { NO_NET_CLS } from './hierarchy.js';

/** One process of a tool: its arguments, and what it reads on its standard input. */
export interface Job {
  readonly argv: readonly [string, ...string[]];
  readonly input?: string;
  /** A command of the shell that runs after it, where it worked; nobody asks what came of that. */
  readonly after?: string;
  /** The first line it prints where it worked, though it takes long to end then: nobody waits for that. */
  readonly answer?: string;
}

/** How a job ended; `status` is 127 where the tool is not installed. */
export interface Done {
  readonly job: Job;
  readonly status: number;
  /** All that it printed; its complaints too. */
  readonly output: string;
}

/** What every tool that we run gets: no word of the caller's environment, no language but C. */
export const TOOL_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * From the first moment on: a trap of the shell's would come too late. spawnSync takes it as spawn does, though it is not
 * among what Node says of it.
 */
const OWN_SESSION: object = { detached: true };

/** flock(1) ends with 1 where somebody else has the lock; its status is told apart from others by this much. */
const FLOCK = 64;

/** More than flock(1) ends with (sysexits.h goes up to 78). */
const FIRST_FAILED = 100;

/** The lock that jobs run under, which is their descriptor 3. */
export interface Hold {
  readonly fd: number;
  /** It is taken first. */
  readonly take: boolean;
  /** For so many seconds it is waited for. */
  readonly wait?: number;
  /** What the terminal sends, or somebody to our process group, does not reach the jobs: what they change, they change. */
  readonly shielded?: boolean;
  /** Commands of the shell that run before all jobs, without any descriptor of theirs; where they fail, nothing else runs. */
  readonly first?: string;
  /** A condition in words of the shell, asked with the lock held: where it fails, nothing is run. */
  readonly only?: string;
}

/**
 * Runs jobs at the same time, under one shell: it starts them three times as quickly as Node does, and Node's event
 * loop is not needed. Undefined means that somebody else has the lock that was to be taken, or that the condition failed.
 * Every job holds the lock as long as it runs, so that it stays taken when via is killed half way.
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

/** The shell that ran jobs was killed: it is not known how far it came. */
export class Stopped extends ViaError {}

/** The descriptor of the first job's output. A POSIX shell knows single digits only, so there are six at most. */
const FIRST = 4;

const names = (jobs: readonly Job[]): string => jobs.map(({ argv }) => argv[0]).join(', ') || 'flock';

/** Words of our own and numbers only: nothing that comes from outside needs quoting here. */
function script(jobs: readonly Job[], lock: Hold | undefined): string {
  const closed = jobs.map((_, n) => `${FIRST + n}>&-`).join(' ');
  const starts = jobs.map(({ argv, input, after, answer }, i) => {
    const stdin = input === undefined ? '</dev/null &' : `<<'END-OF-INPUT' &\n${input}END-OF-INPUT`;
    const command = after === undefined ? argv.join(' ') : `{ ${argv.join(' ')} && { ${after} 2>/dev/null || :; }; }`;
    if (answer === undefined) return `${command} >&${FIRST + i} 2>&1 ${stdin}\np${i}=$!`;
    // Without our pipes, which are read to their end.
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

/** The error for a job that failed: the tool's own words, and a hint where they need one. */
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
  // mount(8), of a hierarchy or a controller that this kernel does not have.
  [/wrong fs type|unknown filesystem type/, NO_NET_CLS],
  // xtables-nft(8), of rules that nft(8) has put into a table of iptables.
  [
    /Parsing nftables rule failed|is incompatible, use 'nft' tool/,
    'a table of iptables has rules of nft; --firewall=nft',
  ],
];
