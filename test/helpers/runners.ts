import type { Result } from './exec.js';
import type { Lab } from './lab.js';
import { launchWords } from './firewall.js';
import type { Runner } from './probes.js';

/** A runner through via: its options and the gateway, as they stand before `--`. */
export const by =
  (lab: Lab, ...words: string[]): Runner =>
  (argv) =>
    lab.via([...words, '--', ...argv]);

/** A member of a group that stays in it until it is let go. */
export interface Held {
  pid: number;
  release(): Promise<Result>;
}

/** Keeps a group alive: a launch whose command waits; it is in the group when this returns. */
export async function hold(lab: Lab, ...words: string[]): Promise<Held> {
  const running = lab.start('client', [...launchWords(words), '--', 'sh', '-c', 'echo "in $$"; exec cat']);
  const [, pid] = await running.waitFor(/^in (\d+)$/m);
  return {
    pid: Number(pid),
    release() {
      running.stdin.end();
      return running.done;
    },
  };
}
