import { inspect } from 'node:util';
import type { ExecutionContext } from 'ava';
import { watchOthers } from '../closed/other-path.js';
import { bothOf, inGroup, kinds, startSender, type Sender } from '../closed/senders.js';
import { runs } from './family.js';
import { makeLab, type Lab, type LabOptions } from './lab.js';
import { kept, until } from './left.js';
import { ours, stateOf } from './ours.js';
import type { Sniffer } from './sniff.js';
import type { Gateway, Place } from './topology.js';

/** Milliseconds until a way out is mended: the second that is promised, and what a busy machine adds to any of it. */
export const WITHIN = 1000 + 1500;

/**
 * Waits until the keeper's watchers are at work, which in the first moments of a group they may not be. Where it has
 * none, the test goes on: whether anything is mended is what tells.
 */
export const watched = (lab: Lab): Promise<void> =>
  until('somebody watches', () => runs(lab, 'ip', 'monitor'), 3000).catch(() => {});

/** The same of the table that nobody can flush, for so many groups. */
export const shielded = (lab: Lab, groups = 1): Promise<void> =>
  until(
    'the guard is held',
    async () => {
      const chains = await lab.sh('client', 'nft list table inet via_guard 2>/dev/null || :');
      return (chains.match(/chain guard_/g)?.length ?? 0) >= groups;
    },
    3000,
  ).catch(() => {});

/** What a program of the group sends on anew, by family: what TCP has sent before waits for its own timers. */
export const fresh = (...families: (4 | 6)[]): string[] =>
  kinds.filter(
    (kind) => !kind.startsWith('tcp') && (families.length === 0 || families.includes(Number(kind.at(-1)) as 4)),
  );

/** A group whose member sends all day, by every kind of socket, with captures on all other paths. */
export interface Day {
  readonly lab: Lab;
  readonly sender: Sender;
  /** Runs a script; on the client with the group's table as $T and the preferences of its rules as $P and $P6. */
  sh(script: string, place?: Place): Promise<void>;
  /** Waits until these are answered once more, by the group's gateway and no other; fails where that takes too long. */
  mended(which?: string[], patience?: number): Promise<void>;
  /** Waits until all of ours in the kernel is what it was in the beginning. */
  whole(): Promise<void>;
  /** Fails where anything is answered in the rounds to come. */
  silent(rounds?: number, which?: string[]): Promise<void>;
  /** Ends it all; fails where a packet has left by another path, or anything stays. */
  end(): Promise<void>;
}

export interface DayOptions extends LabOptions {
  gateway?: Gateway;
  words?: string[];
  /** What is done to the machine before the group is there. */
  before?: string;
  /** What captures what leaves by other paths, where it is not enough to look at the devices. */
  watch?: (lab: Lab) => Promise<Sniffer>;
  /** How many other programs of the test's own there are at its end. */
  known?: number;
}

export async function startDay(t: ExecutionContext, options: DayOptions = {}): Promise<Day> {
  const { gateway = 'g2', words = [bothOf(gateway)], before } = options;
  const lab = await makeLab(t, options);
  if (before !== undefined) await lab.sh('client', before);
  const sender = await startSender(lab, (argv) => inGroup('via', gateway, argv, words));
  await sender.served(gateway);
  await watched(lab);
  const capture = await (options.watch ?? ((one) => watchOthers(one, gateway)))(lab);
  const state = await stateOf(lab);
  return {
    lab,
    sender,
    async sh(script, place = 'client') {
      await lab.sh(place, place === 'client' ? `${ours}\n${script}` : script);
    },
    mended: (which = fresh(), patience = WITHIN) => answered(sender, gateway, which, patience),
    async whole() {
      const differs = async () => differences(state, await stateOf(lab));
      await until('all is as it was', async () => (await differs()).length === 0, WITHIN).catch(async () => {
        t.deepEqual(await differs(), []);
      });
    },
    async silent(rounds = 10, which = kinds) {
      await sender.rounds(STRAGGLERS);
      const heard = [...(await sender.rounds(rounds)).keys()].filter((kind) => which.includes(kind));
      t.deepEqual(heard, [], 'answered, though there is no way');
    },
    async end() {
      t.deepEqual(await capture.stop(), []);
      await sender.end();
      await kept(lab, options.known ?? 0);
    },
  };
}

/** Rounds in which may be heard what was answered just before. */
const STRAGGLERS = 3;

/** Waits until kinds of sockets are answered by this gateway, and by no other. */
export async function answered(
  sender: Sender,
  gateway: Gateway,
  which: string[],
  patience: number,
  strict = true,
): Promise<void> {
  const began = performance.now();
  const missing = new Set(which);
  await sender.rounds(STRAGGLERS);
  while (missing.size > 0) {
    for (const [kind, who] of await sender.rounds(1)) {
      const others = [...who].filter((one) => one !== gateway);
      if (strict && others.length > 0) throw new Error(`${kind} was answered by ${others.join(' ')}`);
      if (who.has(gateway)) missing.delete(kind);
    }
    if (missing.size > 0 && performance.now() - began > patience)
      throw new Error(`not answered by ${gateway} within ${patience} ms: ${inspect([...missing])}`);
  }
}

const differences = (before: string[], now: string[]): string[] => [
  ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
  ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
];
