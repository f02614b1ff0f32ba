import type { Running } from './exec.js';
import { launchWords } from './firewall.js';
import type { Lab } from './lab.js';
import { fixture, python } from './paths.js';
import { far } from './topology.js';

/** Who answered a member, or the error's name; the source that one saw, and how long it took. */
export interface Said {
  who: string;
  source: string;
  ms: number;
}

/** A member that runs all day and asks when it is told to: a launch to ask by would mend what a test is about. */
export interface Member {
  readonly running: Running;
  /** Asks by a new socket; an answer may take so many seconds. */
  ask(kind: 'tcp' | 'udp', address?: string, seconds?: number): Promise<Said>;
  end(): Promise<void>;
}

/** Starts one with these words of a launch. */
export async function startMember(lab: Lab, words: string[]): Promise<Member> {
  const running = lab.start('client', [...launchWords(words), '--', ...python, fixture('daylong.py')]);
  await running.waitFor(/^ready$/m);
  return {
    running,
    async ask(kind, address = far.v4, seconds = 1) {
      const from = running.stdout.length;
      running.write(`${kind} ${address} ${seconds}\n`);
      const options = { from, timeout: seconds * 1000 + 5000 };
      const [, who = '', source = '', ms] = await running.waitFor(/^(\S+) (\S+) (\d+)\n/m, options);
      return { who, source, ms: Number(ms) };
    },
    async end() {
      running.stdin.end();
      await running.done;
    },
  };
}
