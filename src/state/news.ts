import { chmodSync, linkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { removeFile } from '../kernel/place.js';
import { newsFile } from '../plan/files.js';
import { parseAsked, type Asked } from './asked.js';
import { readPlainFile, UNREADABLE, UNWRITABLE } from './file.js';
import { readRecord } from './records.js';
import { parseState, stateOfGroup, type State } from './state.js';

/*
 * A user may not read the records under /run/via. For the owner of a group there is one readable file: the state, and on
 * the next line the text that the group was asked for by. Root owns it, because a user who owned it could fill /run.
 */

/** Writes the file for a group's owner. The set-up passes `first`, and never replaces a newer file of the keeper's. */
export function tellOwner(uuid: string, state: State = stateOfGroup(uuid), first = false): void {
  const path = newsFile(uuid);
  const asked = readRecord(uuid)?.asked;
  const text = [`${state.is} ${state.why}`, ...(asked === undefined ? [] : [asked])];
  const draft = `${path}.${first ? 'first' : 'new'}`;
  ignoring([...UNWRITABLE, 'EEXIST', 'EPERM'], () => {
    // A killed process may have left one.
    removeFile(draft);
    writeFileSync(draft, `${text.join('\n')}\n`, { mode: 0o400, flag: 'wx' });
    // The umask does not count.
    chmodSync(draft, 0o444);
    // The file appears at once as a whole.
    if (!first) return renameSync(draft, path);
    ignoring(['EEXIST'], () => linkSync(draft, path));
    return unlinkSync(draft);
  });
}

/** The state of a group, for its owner. */
export const newsOf = (uuid: string): State => parseState(read(uuid));

/** The text that a user's group was asked for by; undefined where the group is root's. */
export const askedByOwner = (uuid: string): Asked | undefined => parseAsked(read(uuid).split('\n')[1]);

const read = (uuid: string): string => ignoring(UNREADABLE, () => readPlainFile(newsFile(uuid))) ?? '';
