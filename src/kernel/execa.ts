import { execa } from 'execa';
import { TOOL_ENVIRONMENT, type Done, type Job } from './tools.js';

/**
 * Runs jobs at the same time as `runTools` does, for words that nobody waits for: execa takes 22 ms to load, which a
 * launch must not. Without a lock, so only for looking.
 */
export async function runApart(jobs: readonly Job[]): Promise<Done[]> {
  return Promise.all(
    jobs.map(async (job) => {
      const { exitCode, all } = await execa('/bin/sh', ['-c', job.argv.join(' ')], {
        input: job.input ?? '',
        all: true,
        env: TOOL_ENVIRONMENT,
        extendEnv: false,
        cwd: '/',
        reject: false,
        stripFinalNewline: false,
      });
      return { job, status: exitCode ?? 1, output: all };
    }),
  );
}
