import { ViaError } from '../failure.js';
import { netnsOf, startOf, statOf, uidsOf } from '../kernel/proc.js';

/** Who has asked for the set-up, by what sudo or pkexec says, which a user cannot set for them. Throws where neither has. */
export function callerOf(environment: Readonly<Record<string, string | undefined>>): number {
  // sudo sets its own always; pkexec lets no other through.
  const text = environment['SUDO_UID'] || environment['PKEXEC_UID'] || '';
  if (!/^\d{1,10}$/.test(text)) throw new ViaError('set-up', '', 'not started by sudo or pkexec');
  const uid = Number(text);
  // -1 is nobody's number; root needs no set-up, and shares no group with others.
  if (uid === 0 || uid >= 0xffffffff) throw new ViaError('set-up', `user ${text}`, 'not a user who has to ask');
  return uid;
}

/** The process that asks. */
export interface Asker {
  readonly pid: number;
  readonly start: string;
}

/**
 * Throws unless that process is an ancestor of ours that began when it says, is the caller's in all its user ids (so that
 * no program with other rights is meant), and is in our network namespace. Asked before each change: it may have ended.
 */
export function checkAsker({ pid, start }: Asker, caller: number): void {
  const fail = (why: string): ViaError => new ViaError('set-up', `process ${pid}`, why);
  if (!isAncestor(pid)) throw fail('not the one that asks');
  const uids = uidsOf(pid);
  if (uids.length !== 4 || uids.some((uid) => uid !== caller)) throw fail(`not of user ${caller} alone`);
  if (netnsOf(pid) !== netnsOf('self')) throw fail('in another network namespace');
  // Last, so that all that was read is of the process that it names.
  if (startOf(pid) !== start) throw fail('not the one that asked');
}

/** More generations than sudo and its kind put between us and whoever asks. */
const GENERATIONS = 16;

function isAncestor(pid: number): boolean {
  let at = process.ppid;
  for (let n = 0; n < GENERATIONS && at > 1; n++) {
    if (at === pid) return true;
    at = Number(statOf(at)[1]);
  }
  return false;
}
