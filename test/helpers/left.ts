import { existsSync, readdirSync } from 'node:fs';
import { argvOf } from './family.js';
import type { Lab } from './lab.js';
import { diff, snapshot } from './snapshot.js';
import type { Place } from './topology.js';

/** Runs something, and tells what it has changed of all that via could leave behind. */
export async function leaving<T>(
  lab: Lab,
  act: () => Promise<T>,
  place: Place = 'client',
): Promise<{ result: T; left: string[] }> {
  await released(lab);
  const before = await snapshot(lab, place);
  const result = await act();
  await released(lab);
  return { result, left: brief(diff(before, await snapshot(lab, place))) };
}

/**
 * Waits, a second at most, until what a keeper has held for groups that are gone has gone too: its listener, and the table
 * of the second guard (`inet via_guard`), which is there as long as the `nft -i` that made it. Who leaves last tells the
 * keeper, and does not wait. Of groups that are there it is a part, and of those that were left behind a witness.
 */
async function released(lab: Lab): Promise<void> {
  const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const places = [lab.walls.groups, `/proc/${lab.walls.holder}/root/run/via`];
  const hasGroups = (): boolean => places.some((place) => names(place).some((name) => /^(via|group)-/.test(name)));
  // A process that is about to end has no words any more, and may still have its table.
  const isHeld = (): boolean =>
    lab.walls
      .members()
      .map(argvOf)
      .some(([tool, word = '']) => tool === '' || /\/bin\/listener$|^-i$/.test(word));
  await until('the guard is gone', () => hasGroups() || !isHeld(), 1000).catch(() => {});
}

/** Two lines of each part are enough to know what is left. */
export const brief = (lines: string[]): string[] =>
  lines.filter((line, i) => lines[i - 2]?.split(' ')[0] !== line.split(' ')[0]);

/** Waits until something is so; fails with its name when it takes too long. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, patience = 5000): Promise<void> {
  const end = performance.now() + patience;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits until the keepers, and what they run, are gone; the rest of the lab is given as the number of its processes. */
export async function kept(lab: Lab, known: number = 0): Promise<void> {
  await until('the keepers are gone', () => lab.keepers().length === 0 && lab.processes().length === known, 20_000);
}

/** Waits until nothing runs in the lab but its own servers, and those a test knows of. */
export async function quiet(lab: Lab, known: number = 0): Promise<void> {
  await until('nothing runs', () => new Set(lab.processes().map(({ pid }) => pid)).size === known).catch(
    (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(lab.processes())}`);
    },
  );
}
