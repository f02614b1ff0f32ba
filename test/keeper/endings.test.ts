import test, { type ExecutionContext } from 'ava';
import type { Lab } from '../helpers/lab.js';
import { launchWords } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { until } from '../helpers/left.js';
import { probeCommand } from '../helpers/probes.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import { far } from '../helpers/topology.js';

/** Asks over one connection when it is told to, until its input ends. */
const asking = (port: number): string[] => [
  'sh',
  '-c',
  `exec ${probeCommand('tcp', { address: far.v4, port, talk: true }).join(' ')} </run/words`,
];

const detached = (command: string[]): string[] => ['sh', '-c', 'setsid "$@" >/run/said 2>&1 &', 'sh', ...command];

interface Ending {
  words: string[];
  /** What via is to do with the command, before that goes on alone. */
  abandon?: (lab: Lab) => void;
  daemon?: true;
}

const endings: Record<string, Ending> = {
  'via is killed': {
    words: ['10.0.2.1'],
    abandon: (lab) => {
      for (const { pid, argv } of lab.processes()) if (argv.includes('10.0.2.1')) process.kill(pid, 'SIGKILL');
    },
  },
  'a daemon outlives its via': { words: ['10.0.2.1'], daemon: true },
  'via has become the command': { words: ['-x', '10.0.2.1'] },
  'via has become the command, which left a daemon': { words: ['-x', '10.0.2.1'], daemon: true },
};

async function alone(t: ExecutionContext, lab: Lab, { words, abandon, daemon }: Ending): Promise<void> {
  await lab.sh('client', 'rm -f /run/words /run/said; mkfifo /run/words');
  const writer = lab.start('client', ['sh', '-c', 'exec cat >/run/words']);
  const command = asking(7001);
  const running = lab.start('client', [...launchWords(words), '--', ...(daemon ? detached(command) : command)]);
  const said = async (pattern: RegExp): Promise<void> => {
    if (!daemon) return void (await running.waitFor(pattern));
    await until(`it says ${pattern}`, async () => pattern.test(await lab.sh('client', 'cat /run/said 2>&1 || :')));
  };
  await said(/^open$/m);
  if (daemon) t.is((await running.done).code, 0);
  abandon?.(lab);
  await until('no via is there', () => !lab.processes().some(({ argv }) => argv.includes('--')));
  writer.write('still\n');
  await said(/^g2 10\.0\.2\.2 \d+ still$/m);
  t.is(lab.keepers().length, 1);
  writer.stdin.end();
  await running.done;
  await until('the command has ended', () => lab.processes().length === 0);
  await lab.sh('client', 'rm -f /run/words /run/said');
}

for (const [what, ending] of Object.entries(endings))
  test.serial(`nothing is left, and nobody else has looked: ${what}`, async (t) => {
    const lab = await makeLab(t, { rpFilter: { c2: 1 } });
    const before = await snapshot(lab);
    await alone(t, lab, ending);
    await until('the keeper is gone', () => lab.keepers().length + lab.processes().length === 0);
    t.deepEqual(diff(before, await snapshot(lab)), []);
  });

test.serial('two groups, one after the other', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const before = await snapshot(lab);
  const start = (words: string[]) => lab.start('client', [...launchWords(words), '--', 'sh', '-c', 'echo in; read _']);
  const [first, second] = [start(['-x', '10.0.2.1']), start(['-x', '10.0.1.3'])];
  for (const one of [first, second]) await one.waitFor(/in/);
  t.is(lab.keepers().length, 1);
  first.stdin.end();
  await first.done;
  const groups = async (): Promise<number> => Number(await lab.sh('client', 'ls -d /run/via/group-* | wc -l'));
  await until('the first group is gone', async () => (await groups()) === 1);
  t.is(lab.keepers().length, 1);
  second.stdin.end();
  await second.done;
  await until('the keeper is gone', () => lab.keepers().length + lab.processes().length === 0);
  t.deepEqual(diff(before, await snapshot(lab)), []);
});
