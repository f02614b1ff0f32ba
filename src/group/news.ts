import { chmodSync, linkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { removeFile } from '../kernel/place.js';
import { RUNTIME } from '../plan/wanted.js';
import { parseWish, type Wish } from './follow.js';
import { readAtOnce, readRecord } from './records.js';
import { stateOfGroup, WELL, type State } from './state.js';

/**
 * What a group's user is told of it: he may read no other file in there. A line has the state, the next one what the group
 * was asked for by, which older ones lack. It stays root's, for who owns a file can fill the machine's /run by it; which
 * gateways are in use is no secret.
 */
export const newsFile = (uuid: string): string => `${RUNTIME}/news-${uuid}`;

/** Tells a group's user of its state; by the set-up, which does not know it later than the keeper, `first`. */
export function tellOwner(uuid: string, state: State = stateOfGroup(uuid), first = false): void {
  const path = newsFile(uuid);
  const asked = readRecord(uuid)?.asked;
  const text = [`${state.is} ${state.why}`, ...(asked === undefined ? [] : [asked])];
  const draft = `${path}.${first ? 'first' : 'new'}`;
  ignoring(UNWRITABLE, () => {
    // One that a killed process has left.
    removeFile(draft);
    writeFileSync(draft, `${text.join('\n')}\n`, { mode: 0o400, flag: 'wx' });
    // Whatever the umask.
    chmodSync(draft, 0o444);
    // All at once, so that nobody reads half of it.
    if (!first) return renameSync(draft, path);
    ignoring(['EEXIST'], () => linkSync(draft, path));
    return unlinkSync(draft);
  });
}

/** The state that this user is told of. */
export function newsOf(uuid: string): State {
  const [, is, why = ''] = /^(lost|closed) (.*)\n/.exec(read(uuid)) ?? [];
  return is === undefined ? WELL : { is: is as State['is'], why };
}

/** What a user's group was asked for by; undefined where it is no user's. */
export const wishTold = (uuid: string): Wish | undefined => parseWish(read(uuid).split('\n')[1]);

const read = (uuid: string): string =>
  ignoring(['ENOENT', 'ENOTDIR', 'EACCES'], () => readAtOnce(newsFile(uuid))) ?? '';

const UNWRITABLE = ['ENOENT', 'EEXIST', 'EISDIR', 'ENOSPC', 'EFBIG', 'EDQUOT', 'EROFS', 'EPERM'];
