import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving, quiet } from '../helpers/left.js';
import { watchTools } from '../helpers/tools.js';

const calls = [
  'flock_-n_3.1',
  'ip_-4_-N.1',
  'nft_-j_list.1',
  'ip_-4_-batch.1',
  'ip_-6_-batch.1',
  'nft_-f_-.1',
  'mount_-n_-t.1',
];

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

test.serial('a signal while it takes all away does not keep it from that', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const tools = await watchTools(lab);
  for (const call of calls.map((name) =>
    name.replace('mount_-n_-t.1', 'umount_-n__run_via_net_cls.0').replace(/\d$/, (n) => `${Number(n) + 1}`),
  )) {
    const { result, left } = await leaving(lab, () =>
      tools.during('TERM', call, () => lab.via(['10.0.2.1', '--', 'sh', '-c', 'echo ran; exit 3'])),
    );
    const { code, stdout, stderr } = result.result;
    t.deepEqual([code, stdout, stderr], [3, 'ran\n', ''], call);
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
      await quiet(lab);
      const next = await lab.via(['10.0.1.3', '--', 'echo', 'next']);
      t.deepEqual([next.code, next.stdout, next.stderr], [0, 'next\n', ''], call);
    });
    t.deepEqual(left, [], call);
  }
});
