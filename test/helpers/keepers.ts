import type { Lab } from './lab.js';
import { runs } from './family.js';
import { until } from './left.js';

const isKeeping = ({ argv }: { argv: readonly string[] }): boolean => argv.at(-1) === 'keep';

/** Kills what would clean up, so that somebody else has to; what a keeper has started may start another one. */
export async function killKeepers(lab: Lab, except?: number): Promise<void> {
  const keeping = () => lab.processes().filter((one) => isKeeping(one) && one.pid !== except);
  await until('the keepers are gone', () => {
    const keepers = lab.keepers();
    for (const { pid } of keepers) process.kill(pid, 'SIGKILL');
    return keepers.length + keeping().length === 0;
  });
}

/** Waits until each keeper has seen to the group that it was started for, or told of, and listens. */
export async function settled(lab: Lab): Promise<void> {
  let since = performance.now();
  await until('the keepers listen', () => {
    if (!runs(lab, 'ip', 'monitor') || lab.processes().some(isKeeping)) since = performance.now();
    return performance.now() - since > LULL;
  });
}

/** Milliseconds: a keeper sees to a new group a fifth of a second after it was told of it. */
const LULL = 400;
