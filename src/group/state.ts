import { utimesSync, writeFileSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { removeFile } from '../kernel/place.js';
import { RUNTIME } from '../plan/wanted.js';
import type { Family } from '../plan/wayout.js';
import { readAtOnce } from './records.js';

/** Whether a group's way out is there, as its keeper has last seen it. */
export interface State {
  /** `lost`: its gateway is not there. `closed`: somebody insists on taking away what it needs. */
  readonly is: 'well' | 'lost' | 'closed';
  /** Begins with `IPv4: ` or `IPv6: ` where only that family of two is lost (gateway/health.ts). */
  readonly why: string;
}

export const WELL: State = { is: 'well', why: '' };

/** Where it is kept while it is not well. */
export const stateFile = (uuid: string): string => `${RUNTIME}/state-${uuid}`;

/** The file that changes with it, so that whoever waits for that need not ask: the group's record. */
export const announcedBy = (uuid: string): string => `${RUNTIME}/group-${uuid}`;

/** The last state of a group. */
export function stateOfGroup(uuid: string): State {
  const text = ignoring(UNREADABLE, () => readAtOnce(stateFile(uuid))) ?? '';
  const [, is, why = ''] = /^(lost|closed) (.*)\n$/.exec(text) ?? [];
  return is === undefined ? WELL : { is: is as State['is'], why };
}

/** The one family that is lost, `IPv4`; undefined where all are, or none. */
export const familyLost = ({ is, why }: State): string | undefined =>
  is === 'lost' ? /^IPv[46](?=: )/.exec(why)?.[0] : undefined;

/** Whether its gateway was not there then, for this family. */
export function wasLost(uuid: string, family: Family): boolean {
  const state = stateOfGroup(uuid);
  return state.is === 'lost' && [undefined, `IPv${family}`].includes(familyLost(state));
}

/** Keeps it, where it is another one, and has it known. Gives whether it is. */
export function keepState(uuid: string, state: State): boolean {
  const before = stateOfGroup(uuid);
  if (before.is === state.is && before.why === state.why) return false;
  ignoring(UNWRITABLE, () => {
    removeFile(stateFile(uuid));
    if (state.is !== 'well') writeFileSync(stateFile(uuid), `${state.is} ${state.why}\n`, { mode: 0o600 });
    const now = Date.now() / 1000;
    utimesSync(announcedBy(uuid), now, now);
  });
  return true;
}

const UNREADABLE = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP'];
const UNWRITABLE = ['ENOENT', 'EISDIR', 'ENOSPC', 'EFBIG', 'EDQUOT', 'EROFS'];
