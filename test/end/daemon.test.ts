import test, { type ExecutionContext } from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving, until } from '../helpers/left.js';
import { killKeepers } from '../helpers/keepers.js';
import { fixture, python, viaBin } from '../helpers/paths.js';
import { probeCommand, readProbe } from '../helpers/probes.js';
import { snapshot } from '../helpers/snapshot.js';
import { far } from '../helpers/topology.js';

/** Asks who answers, once /run/ask appears; its answer is in /run/answer. */
const daemon = `
  while ! [ -e /run/ask ]; do sleep 0.02; done
  ${[...python, fixture('probe.py'), 'tcp', far.v4, '7000'].join(' ')} >/run/answer
  rm /run/ask`;

const commands: Record<string, string> = {
  'a session of its own': `setsid sh -c '${daemon}' </dev/null >/dev/null 2>&1 &`,
  'a job in the background': `( ${daemon} ) </dev/null >/dev/null 2>&1 &`,
  'a session of its own, in another mount namespace': `setsid unshare -m sh -c '${daemon}' </dev/null >/dev/null 2>&1 &`,
};

const sweepers: Record<string, string[]> = {
  'the same gateway': ['10.0.2.1', '--', 'true'],
  'another gateway': ['10.0.1.3', '--', 'true'],
  'a command that is not found': ['10.0.2.1', '--', '/nowhere/at-all'],
  'via sweep': ['sweep'],
};

/** The answer of a daemon that is asked now, and its end. */
async function answer(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.sh('client', 'touch /run/ask');
  await until('the daemon ends', () => lab.processes().length === 0);
  const result = await lab.run('client', ['cat', '/run/answer']);
  t.is(readProbe(result).gateway, 'g2');
  await lab.sh('client', 'rm /run/answer');
}

test.serial('a daemon the command left keeps the group; without a keeper, the next via sweeps it', async (t) => {
  const lab = await makeLab(t);
  for (const [what, script] of Object.entries(commands))
    for (const [sweeper, words] of Object.entries(sweepers)) {
      const how = `${what}, ${sweeper}`;
      const { left } = await leaving(lab, async () => {
        const result = await lab.via(['10.0.2.1', '--', 'sh', '-c', script]);
        t.deepEqual([result.code, result.stderr], [0, ''], how);
        t.is(lab.processes().length > 0, true, how);
        // Everybody else leaves it alone while it lives.
        for (const other of Object.values(sweepers)) await lab.via(other);
        await killKeepers(lab);
        await answer(t, lab);
        t.regex((await snapshot(lab)).cgroups ?? '', /via-/, how);
        await lab.via(words);
      });
      t.deepEqual(left, [], how);
    }
});

test.serial('via is killed: the command keeps its way out; without a keeper, the next via sweeps', async (t) => {
  const lab = await makeLab(t);
  for (const [sweeper, words] of Object.entries(sweepers)) {
    const { left } = await leaving(lab, async () => {
      // Node closes its end of a pipe when via is gone, so the command's input is another.
      await lab.sh('client', 'mkfifo /run/words');
      const writer = lab.start('client', ['sh', '-c', 'cat >/run/words']);
      const ask = probeCommand('tcp', { address: far.v4, port: 7001, talk: true });
      const running = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', `exec ${ask.join(' ')} </run/words`]);
      await running.waitFor(/^open$/m);
      running.kill('SIGKILL');
      await until('via is gone', () => !lab.processes().some(({ argv }) => argv.includes('--')));
      await lab.via(words);
      writer.write('still\n');
      await running.waitFor(/^g2 10\.0\.2\.2 \d+ still$/m);
      await killKeepers(lab);
      writer.stdin.end();
      t.is((await running.done).signal, 'SIGKILL');
      await until('the command ends', () => lab.processes().length === 0);
      await lab.sh('client', 'rm /run/words');
      t.regex((await snapshot(lab)).cgroups ?? '', /via-/, sweeper);
      await lab.via(words);
    });
    t.deepEqual(left, [], sweeper);
  }
});
