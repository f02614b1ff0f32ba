import { closeSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { inherited } from './descriptors.js';
import { signalNumbers } from './numbers.js';

/** The state that via was started with, as far as the shell of bin/via and Node have changed it. */
export interface Entry {
  readonly environment: Readonly<Record<string, string>>;
  /** Descriptors above 2 that the command must get. */
  readonly descriptors: readonly number[];
  /** Signals that were ignored (nohup, a script's background job). Node has reset them to their defaults. */
  readonly ignored: ReadonlySet<NodeJS.Signals>;
  /** The soft limit of descriptors, if Node has raised it. */
  readonly nofile?: { readonly soft: number; readonly helper: number };
}

/**
 * Reads the state from bin/via's helper, makes the helper restore the soft descriptor limit, and lets it end. Call it once,
 * before other processes are started. Without bin/via, or if descriptors 3 to 9 were all taken ("full") and there is no
 * helper, it returns the present state. Never throws, whatever VIA_LAUNCHER contains.
 */
export function readEntry(): Entry {
  const text = process.env['VIA_LAUNCHER'];
  delete process.env['VIA_LAUNCHER'];
  // Remove the launcher's variable; the command's environment comes from the helper.
  if (text !== undefined && text !== 'full') delete process.env['MALLOC_MMAP_THRESHOLD_'];
  const notes = text === undefined ? undefined : parse(text);
  try {
    if (notes !== undefined && isHelper(notes)) return take(notes);
  } catch {
    // The helper was killed.
  }
  const descriptors = text === 'full' ? allOfOneDigit() : [];
  // With -x the launcher still exists and has the caller's state.
  const launcher = process.env['VIA_EXEC'];
  const ignored = launcher === undefined ? new Set<NodeJS.Signals>() : ignoredBy(parseInt(launcher, 10));
  return { environment: { ...process.env } as Record<string, string>, descriptors, ignored };
}

/** Descriptors 3 to 9, which are all the caller's. If Node's epoll descriptor is among them, they were not. */
function allOfOneDigit(): number[] {
  const digits = [3, 4, 5, 6, 7, 8, 9];
  return digits.some((fd) => linkOf(`/proc/self/fd/${fd}`)?.includes('[eventpoll]') ?? true) ? [] : digits;
}

interface Notes {
  readonly pipe: number;
  readonly soft: string;
  readonly hard: string;
  readonly helper: number;
  readonly ignored: ReadonlySet<NodeJS.Signals>;
}

/** Parses "PIPE SOFT HARD HELPER" and the shell's line of /proc/self/stat, whose process is ours now. */
function parse(text: string): Notes | undefined {
  const [, pipe, soft, hard, helper, pid, stat] =
    /^([3-9])\s(\d+|unlimited)\s(\d+|unlimited)\s(\d{1,9})\s(\d+) \(.*\) (.*)$/s.exec(text) ?? [];
  if (soft === undefined || hard === undefined || stat === undefined || Number(pid) !== process.pid) return undefined;
  // Field 33 is the mask of ignored signals 1 to 31. The third field is the first one here.
  const ignored = namesOf(Number(stat.split(' ')[30]));
  return { pipe: Number(pipe), soft, hard, helper: Number(helper), ignored };
}

function ignoredBy(pid: number): Set<NodeJS.Signals> {
  const status = ignoring(['ENOENT', 'ESRCH'], () => readFileSync(`/proc/${pid}/status`, 'utf8'));
  // The lower 32 of 64 bits.
  return namesOf(parseInt(/^SigIgn:\s*\w{8}(\w{8})$/m.exec(status ?? '')?.[1] ?? '0', 16));
}

function namesOf(mask: number): Set<NodeJS.Signals> {
  if (!mask) return new Set();
  const known = Object.entries(signalNumbers()) as [NodeJS.Signals, number][];
  return new Set(known.filter(([, number]) => number < 32 && mask & (1 << (number - 1))).map(([name]) => name));
}

/** True if the helper waits at our pipe. Another process has another environment, and another pipe is not ours. */
function isHelper({ pipe, helper }: Notes): boolean {
  const ours = readlinkSync(`/proc/self/fd/${pipe}`);
  // The helper is forked with our end of the pipe, opens its own end as standard input, and closes ours.
  return ours.startsWith('pipe:') && [0, pipe].some((fd) => linkOf(`/proc/${helper}/fd/${fd}`) === ours);
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function take({ pipe, soft, hard, helper, ignored }: Notes): Entry {
  const environment = variables(readFileSync(`/proc/${helper}/environ`, 'utf8'));
  const entry = { environment, descriptors: inherited(helper, pipe), ignored };
  const raised = soft !== hard && soft !== 'unlimited';
  // A helper that was killed cannot put the limit back.
  if (raised) ignoring(['EPIPE'], () => writeSync(pipe, `${soft}\n`));
  closeSync(pipe);
  return raised ? { ...entry, nofile: { soft: Number(soft), helper } } : entry;
}

/**
 * The variables of an environ (proc(5)). The first of two with one name counts, as for getenv(3). Bytes that are not UTF-8
 * survive only if the text was read as Latin-1, which Node cannot pass to the command.
 */
export function variables(text: string): Record<string, string> {
  const found = Object.create(null) as Record<string, string>;
  for (const line of text.split('\0')) {
    const at = line.indexOf('=');
    if (at >= 0) found[line.slice(0, at)] ??= line.slice(at + 1);
  }
  return found;
}
