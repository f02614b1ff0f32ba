import { watch, type FSWatcher } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { groupFile, newsFile } from '../plan/files.js';
import { newsOf } from './news.js';
import { familyLost, stateOfGroup, WELL, type State } from './state.js';

/** The time until watching starts, in milliseconds, so that short commands do not pay for it. */
const EARLY = 200;

/**
 * The time until a change of the lost family is reported, in milliseconds. When a link comes back, one family works a
 * moment before the other.
 */
const ANOTHER = 5000;

/** The time until a record that is being replaced exists again, in milliseconds. */
const AGAIN = 50;

/**
 * Calls `tell` whenever the state of a group's gateway changes. For a user (`ofUser`) it watches the file that the user
 * may read. It does not keep the process alive. Returns a function that ends it; for a short command that function also
 * reports a gateway that was lost all the time.
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
