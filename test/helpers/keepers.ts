import type { Lab } from './lab.js';
import { until } from './left.js';

/** Kills what would clean up, so that somebody else has to. */
export async function killKeepers(lab: Lab): Promise<void> {
  for (const { pid } of lab.keepers()) process.kill(pid, 'SIGKILL');
  await until('the keepers are gone', () => lab.keepers().length === 0);
}
