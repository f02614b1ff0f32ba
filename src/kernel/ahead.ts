import { closeSync, readFileSync } from 'node:fs';
import { PROTOCOL } from '../plan/numbers.js';
import { saysNoTable } from './firewall.js';
import type { Done, Job } from './tools.js';

let pipe = Number(process.env['VIA_AHEAD']);
delete process.env['VIA_AHEAD'];

/**
 * What bin/via has let these jobs print while Node started, where it did: it runs the same ones. Undefined where there
 * is nothing to take. Can be asked once.
 */
export function takeAhead(jobs: readonly Job[]): Done[] | undefined {
  if (!(pipe > 2)) return undefined;
  const texts = readFileSync(pipe, 'utf8').split(/^= (\d+)\n/m);
  dropAhead();
  if (texts.length !== 2 * jobs.length + 1) return undefined;
  return jobs.map((job, i) => ({ job, status: Number(texts[2 * i + 1]), output: texts[2 * i]?.trimStart() ?? '' }));
}

/** Whether they worked, and nothing of via's is in what they printed. */
export const isUntouched = (done: readonly Done[]): boolean =>
  done.every((one) =>
    one.job.argv[0] === 'nft' ? saysNoTable(one) : one.status === 0 && !one.output.includes(`"protocol":"${PROTOCOL}"`),
  );

/** Lets go of it: what is still printing ends. */
export function dropAhead(): void {
  if (pipe > 2) closeSync(pipe);
  pipe = 0;
}
