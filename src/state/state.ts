import { utimesSync, writeFileSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { removeFile } from '../kernel/place.js';
import { groupFile, stateFile } from '../plan/files.js';
import type { Family } from '../plan/family.js';
import { readPlainFile, UNREADABLE, UNWRITABLE } from './file.js';

/** The state of a group's way out, as its keeper saw it last. */
export interface State {
  /** `lost`: the gateway cannot be used. `closed`: another tool removes rules of the group again and again. */
  readonly is: 'well' | 'lost' | 'closed';
  /** The reason. It begins with `IPv4: ` or `IPv6: ` if only that family of two is lost (gateway/health.ts). */
  readonly why: string;
}

export const WELL: State = { is: 'well', why: '' };

/** The last state of a group. Its file exists only while the state is not `well`. */
export const stateOfGroup = (uuid: string): State =>
  parseState(ignoring(UNREADABLE, () => readPlainFile(stateFile(uuid))) ?? '');

/** Parses the first line of a file with a state. */
export function parseState(text: string): State {
  const [, is, why = ''] = /^(lost|closed) (.*)\n/.exec(text) ?? [];
  return is === undefined ? WELL : { is: is as State['is'], why };
}

/** The one family that is lost, `IPv4`; undefined where both are, or none. */
export const familyLost = ({ is, why }: State): string | undefined =>
  is === 'lost' ? /^IPv[46](?=: )/.exec(why)?.[0] : undefined;

/** True if the gateway was lost for this family in the last state. */
export function wasLost(uuid: string, family: Family): boolean {
  const state = stateOfGroup(uuid);
  return state.is === 'lost' && [undefined, `IPv${family}`].includes(familyLost(state));
}

/**
 * Keeps a state. Returns false if it is the same as before. Else it also touches the group's record, which a waiting via
 * watches.
 */
export function keepState(uuid: string, state: State): boolean {
  const before = stateOfGroup(uuid);
  if (before.is === state.is && before.why === state.why) return false;
  ignoring(UNWRITABLE, () => {
    removeFile(stateFile(uuid));
    if (state.is !== 'well') writeFileSync(stateFile(uuid), `${state.is} ${state.why}\n`, { mode: 0o600 });
    const now = Date.now() / 1000;
    utimesSync(groupFile(uuid), now, now);
  });
  return true;
}
