import { closeSync, readFileSync } from 'node:fs';
import { PROTOCOL } from '../plan/numbers.js';
import { saysNoTable } from './firewall.js';
import type { Done, Job } from './tools.js';

let pipe = Number(process.env['VIA_AHEAD']);
delete process.env['VIA_AHEAD'];

/** What has been read of it; it begins with what bin/via made the pipe with. */
let text: string | undefined;

function read(): string {
  if (!(pipe > 2)) return '';
  text = readFileSync(pipe, 'utf8');
  dropAhead();
  return text;
}

/**
 * The group that bin/join has found, beside Node, in the state in which it was last found in order; undefined where it
 * has found none.
 */
export const knownAhead = (): string | undefined => /^\s*known ([\da-f-]{36})\n$/.exec((text ??= read()))?.[1];

/**
 * What bin/via has let these jobs print while Node started, where it did: it runs the same ones. Undefined where there
 * is nothing to take. Can be asked once.
 */
export function takeAhead(jobs: readonly Job[]): Done[] | undefined {
  const texts = (text ?? read()).split(/^= (\d+)\n/m);
  text = '';
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
