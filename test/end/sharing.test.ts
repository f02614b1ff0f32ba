import test from 'ava';
import type { Running } from '../helpers/exec.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { outside, probe, probeCommand } from '../helpers/probes.js';
import { far } from '../helpers/topology.js';

/** A via that stays until its input ends. */
async function user(lab: Lab, ...words: string[]): Promise<Running> {
  const running = lab.start('client', [viaBin, ...words, '--', 'sh', '-c', 'echo in; read _']);
  await running.waitFor(/in/);
  return running;
}

async function end(running: Running): Promise<void> {
  running.stdin.end();
  const { stderr } = await running.done;
  if (stderr !== '') throw new Error(stderr);
}

test.serial('an earlier user leaves, also by SIGKILL: the connection of the other lives on', async (t) => {
  const lab = await makeLab(t);
  const counter = async () =>
    /stopped_\d+ \{\s+packets (\d+)/.exec(await lab.sh('client', 'nft list counters table inet via'))?.[1];
  for (const leave of [end, killed]) {
    const { left } = await leaving(lab, async () => {
      const earlier = await user(lab, '10.0.2.1');
      const words = probeCommand('tcp', { address: far.v4, port: 7001, talk: true });
      const talker = lab.start('client', [viaBin, '10.0.2.1', '--', ...words]);
      await talker.waitFor(/^open$/m);
      const ask = async (word: string) => {
        talker.write(`${word}\n`);
        await talker.waitFor(new RegExp(`^g2 10\\.0\\.2\\.2 \\d+ ${word}$`, 'm'));
      };
      await ask('one');
      const stopped = await probe((argv) => lab.via(['10.0.2.1', '--', ...argv]), 'udp', 4, {
        device: 'c1',
        timeout: 0.2,
      });
      t.not(stopped.error, null);
      const before = await counter();
      t.true(Number(before) > 0);
      await leave(earlier);
      await ask('two');
      await end(await user(lab, '10.0.2.1'));
      await end(await user(lab, '10.0.1.3'));
      t.is((await lab.via(['sweep'])).code, 0);
      await ask('three');
      t.is(await counter(), before);
      talker.stdin.end();
      t.is((await talker.done).code, 0);
    });
    t.deepEqual(left, []);
  }
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
});

/** Ends via alone; its command then ends by itself, unseen. */
async function killed(running: Running): Promise<void> {
  running.kill('SIGKILL');
  running.stdin.end();
  await running.done;
}

test.serial('two users leave at the same moment: nothing is left', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    for (let round = 0; round < 12; round++) {
      const gateways = round % 3 === 2 ? ['10.0.2.1', '10.0.1.3'] : ['10.0.2.1', '10.0.2.1'];
      const { left: now } = await leaving(lab, async () => {
        const [one, other] = await Promise.all(gateways.map((gateway) => user(lab, gateway)));
        one?.stdin.end();
        // From together to a whole clean-up apart.
        await new Promise((resolve) => setTimeout(resolve, 3 * round));
        other?.stdin.end();
        const ends = await Promise.all([one?.done, other?.done]);
        for (const result of ends) t.deepEqual([result?.code, result?.stderr], [1, ''], `round ${round}`);
      });
      t.deepEqual(now, [], `round ${round}`);
    }
  });
  t.deepEqual(left, []);
});

test.serial('one comes while the last one leaves: it is routed, and nothing is left', async (t) => {
  const lab = await makeLab(t);
  for (let round = 0; round < 12; round++) {
    const { left } = await leaving(lab, async () => {
      const last = await user(lab, '10.0.2.1');
      const words = probeCommand('tcp', { address: far.v4 });
      const next = lab.via(['10.0.2.1', '--', ...words]);
      await new Promise((resolve) => setTimeout(resolve, 40 + 8 * round));
      await end(last);
      const result = await next;
      t.is(result.stderr, '', `round ${round}`);
      t.like(JSON.parse(result.stdout), { gateway: 'g2' }, `round ${round}`);
    });
    t.deepEqual(left, [], `round ${round}`);
  }
});
