import { closeSync, readFileSync } from 'node:fs';
import type { Done, Job } from './tools.js';

let pipe = Number(process.env['VIA_AHEAD']);
delete process.env['VIA_AHEAD'];

/**
 * What bin/via has let these jobs print while Node started, where it did: it runs the same ones. Undefined where there
 * is nothing to take, or a job failed. Can be asked once.
 */
export function takeAhead(jobs: readonly Job[]): Done[] | undefined {
  if (!(pipe > 2)) return undefined;
  const texts = readFileSync(pipe, 'utf8').split(/^= (\d+)\n/m);
  dropAhead();
  const good = texts.length === 2 * jobs.length + 1 && texts.every((text, i) => i % 2 === 0 || text === '0');
  if (!good) return undefined;
  return jobs.map((job, i) => ({ job, status: 0, output: texts[2 * i]?.trimStart() ?? '' }));
}

/** Lets go of it: what is still printing ends. */
export function dropAhead(): void {
  if (pipe > 2) closeSync(pipe);
  pipe = 0;
}
