import { watch, type FSWatcher } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { newsFile, newsOf } from './news.js';
import { announcedBy, stateOfGroup, WELL, type State } from './state.js';

/** How long a command runs before it is told what becomes of its way out: what ends sooner need not pay for it. */
const EARLY = 200;

/** How long until a record that is being written anew is there again, in milliseconds. */
const AGAIN = 50;

/**
 * Calls `tell` whenever the state of a group's way out has changed, which a user (`ofUser`) hears by a file that he may read;
 * what it does keeps nobody waiting, nor alive. Gives what ends that.
 */
export function watchState(uuid: string, ofUser: boolean, tell: (state: State) => void): () => void {
  const path = ofUser ? newsFile(uuid) : announcedBy(uuid);
  let before = WELL;
  let watcher: FSWatcher | undefined;
  const look = (): void => {
    const state = ofUser ? newsOf(uuid) : stateOfGroup(uuid);
    if (state.is !== before.is) tell(state);
    before = state;
  };
  const start = (): void => {
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
    clearTimeout(timer);
    watcher?.close();
  };
}

const later = (act: () => void, time: number): NodeJS.Timeout => setTimeout(act, time).unref();
