import type { Lab } from './lab.js';
import { diff, snapshot } from './snapshot.js';
import type { Place } from './topology.js';

/** Runs something, and tells what it has changed of all that via could leave behind. */
export async function leaving<T>(
  lab: Lab,
  act: () => Promise<T>,
  place: Place = 'client',
): Promise<{ result: T; left: string[] }> {
  const before = await snapshot(lab, place);
  const result = await act();
  return { result, left: brief(diff(before, await snapshot(lab, place))) };
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
