import { watch, type FSWatcher } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { groupFile, newsFile } from '../plan/files.js';
import { newsOf } from '../state/news.js';
import { familyLost, stateOfGroup, WELL, type State } from '../state/state.js';

/** How long a command runs before it is told what becomes of its way out: what ends sooner need not pay for it. */
const EARLY = 200;

/**
 * How long another family of two has been lost than before until that is told, in milliseconds: when a link comes back,
 * one family is there a moment before the other.
 */
const ANOTHER = 5000;

/** How long until a record that is being written anew is there again, in milliseconds. */
const AGAIN = 50;

/**
 * Calls `tell` whenever the state of a group's way out has changed, which a user (`ofUser`) hears by a file that he may read;
 * what it does keeps nobody waiting, nor alive. Gives what ends that, and tells of a way out that was lost all the time of
 * a short command.
 */
export function watchState(uuid: string, ofUser: boolean, tell: (state: State) => void): () => void {
  const path = ofUser ? newsFile(uuid) : groupFile(uuid);
  let told = WELL;
  let isEarly = true;
  let watcher: FSWatcher | undefined;
  let another: NodeJS.Timeout | undefined;
  const look = (patient = true): void => {
    clearTimeout(another);
    const state = ofUser ? newsOf(uuid) : stateOfGroup(uuid);
    if (state.is === told.is) {
      if (familyLost(state) === familyLost(told)) return;
      if (patient) return void (another = later(() => look(false), ANOTHER));
    }
    tell(state);
    told = state;
  };
  const start = (): void => {
    isEarly = false;
    watcher?.close();
    watcher = ignoring(['ENOENT', 'EACCES', 'ENOSPC', 'EMFILE'], () => watch(path, { persistent: false }));
    watcher?.on('error', () => {});
    watcher?.on('change', (what) => {
      look();
      if (what === 'rename') timer = later(start, AGAIN);
    });
    look();
  };
  let timer = later(start, EARLY);
  return () => {
    if (isEarly) look();
    clearTimeout(timer);
    clearTimeout(another);
    watcher?.close();
  };
}

const later = (act: () => void, time: number): NodeJS.Timeout => setTimeout(act, time).unref();
