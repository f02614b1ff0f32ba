import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving, quiet } from '../helpers/left.js';
import { hold } from '../helpers/runners.js';
import { watchTools } from '../helpers/tools.js';

const calls = ['flock_-n_3.1', 'ip_-4_-batch.1', 'ip_-6_-batch.1', 'nft_-f_-.1', 'mount_-n_-t.1'];

for (const signal of ['TERM', 'INT', 'HUP'] as const)
  test.serial(`SIG${signal} at any call of the set-up undoes it, and via dies of it`, async (t) => {
    const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
    const tools = await watchTools(lab);
    for (const call of calls) {
      const { result, left } = await leaving(lab, () =>
        tools.during(signal, call, () => lab.via(['10.0.2.1', '--', 'echo', 'ran'])),
      );
      const { code, signal: died, stdout, stderr } = result.result;
      t.deepEqual([code, died, stdout, stderr], [null, `SIG${signal}`, '', ''], call);
      await quiet(lab);
      t.deepEqual(left, [], call);
    }
  });

test.serial('the same while it looks at a machine that has a group, which stays', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const tools = await watchTools(lab);
  const held = await hold(lab, '10.0.1.3');
  // The first look is the launcher's, while there is no via yet.
  for (const call of ['flock_-n_3.1', 'ip_-4_-N.2', 'ip_-6_-N.2', 'nft_-j_list.2']) {
    const { result, left } = await leaving(lab, () =>
      tools.during('TERM', call, () => lab.via(['10.0.2.1', '--', 'echo', 'ran'])),
    );
    t.deepEqual([result.result.signal, result.result.stdout, result.result.stderr], ['SIGTERM', '', ''], call);
    t.deepEqual(left, [], call);
  }
  await held.release();
});

const inOneGo = ['flock_-w_1.1', 'nft_-e_-f.1', 'ip_-4_-batch.2', 'ip_-6_-batch.2', 'umount_-n_-l.1'];
const lookingFirst = ['flock_-n_3.2', 'ip_-4_-N.2', 'nft_-j_list.2', 'ip_-6_-batch.2', 'nft_-f_-.2'];
const ends: Record<string, { change: string; at: readonly string[] }> = {
  'in one go': { change: '', at: inOneGo },
  'where another via has changed something since': { change: 'echo >/run/via/lock; ', at: lookingFirst },
};

for (const [how, { change, at }] of Object.entries(ends))
  for (const trouble of ['TERM', 'fail'] as const)
    test.serial(`${trouble} while it takes all away, ${how}, does not keep it from that`, async (t) => {
      const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
      const tools = await watchTools(lab);
      for (const call of at) {
        if (trouble === 'fail' && /N|flock|list/.test(call)) continue;
        const { result, left } = await leaving(lab, () =>
          tools.during(trouble, call, () => lab.via(['10.0.2.1', '--', 'sh', '-c', `${change}echo ran; exit 3`])),
        );
        const { code, stdout, stderr } = result.result;
        t.deepEqual([code, stdout, stderr], [3, 'ran\n', ''], call);
        t.true(result.steps.includes(call), `${call} of ${result.steps.join(' ')}`);
        t.deepEqual(left, [], call);
      }
    });

test.serial('killed at any call: the command did not run, and the next via sweeps', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  const tools = await watchTools(lab);
  for (const call of calls) {
    const { left } = await leaving(lab, async () => {
      const { result } = await tools.during('KILL', call, () => lab.via(['10.0.2.1', '--', 'echo', 'ran']));
      t.deepEqual([result.signal, result.stdout], ['SIGKILL', ''], call);
      await kept(lab);
      const next = await lab.via(['10.0.1.3', '--', 'echo', 'next']);
      t.deepEqual([next.code, next.stdout, next.stderr], [0, 'next\n', ''], call);
    });
    t.deepEqual(left, [], call);
  }
});
