import type { Result } from './exec.js';
import type { Lab } from './lab.js';
import { fixture, viaBin } from './paths.js';

export interface Walked {
  result: Result;
  /** The calls that via made, as `3 mkdirSync /run/via`. */
  steps: string[];
}

/**
 * Runs via so that something happens at one of the calls by which it changes anything: `fail`, a signal's name, or
 * `run` and a command of somebody else.
 */
export async function walk(lab: Lab, words: string[], action: string, step = 0): Promise<Walked> {
  const log = '/run/steps.log';
  await lab.sh(
    'client',
    `mkdir -p /run/walk; printf '#!/bin/sh\nexec %s -r %s "$@"\n' ${process.execPath} ${fixture('steps.cjs')} >/run/walk/node; chmod +x /run/walk/node; : >${log}`,
  );
  const env = { PATH: `/run/walk:${process.env['PATH'] ?? ''}`, STEP: String(step), STEP_DO: action, STEPS_LOG: log };
  const result = await lab.run('client', [viaBin, ...words], { env });
  const steps = await lab.sh('client', `cat ${log}; rm -r ${log} /run/walk`);
  return { result, steps: steps.split('\n').filter(Boolean) };
}
