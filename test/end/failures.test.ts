import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';
import { hold } from '../helpers/runners.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import { watchTools, type Trouble } from '../helpers/tools.js';

// A second try is made of a change, so that a tool has to fail twice; the third is the one that undoes.
const failing: [Trouble, string, RegExp][] = [
  ['fail', 'ip_-4_-N', /^via: routes ip: ip: made to fail$/m],
  ['fail', 'ip_-6_-N', /^via: routes ip: ip: made to fail$/m],
  ['fail', 'nft_-j_list', /^via: firewall nft: nft: made to fail$/m],
  ['fail', 'nft_-f_-', /^via: firewall nft: nft: made to fail$/m],
  ['fail', 'ip_-4_-batch', /^via: route ip: ip: made to fail$/m],
  ['lines-2', 'ip_-6_-batch', /^via: route ip: ip: made to fail$/m],
  ['fail', 'mount_-n_-t', /^via: cgroup mount: mount: made to fail$/m],
];

test.serial('a tool that fails: its own words, and what was done is undone', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  const tools = await watchTools(lab);
  for (const [trouble, call, line] of failing) {
    const forGood = /-N|list|mount/.test(call);
    const { result, left } = await leaving(lab, () =>
      tools.during(trouble, `${call}.1`, () => lab.via(['10.0.2.1', '--', 'echo', 'ran']), forGood ? 99 : 2),
    );
    refused(t, result.result, line, call);
    t.deepEqual(left, [], call);
  }
});

test.serial('a failure while another group is alive disturbs it in nothing', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { all: 1 } });
  const tools = await watchTools(lab);
  const other = lab.start('client', [viaBin, '10.0.1.3', '--', 'sh', '-c', 'echo in; read _']);
  await other.waitFor(/in/);
  for (const [trouble, call, line] of failing.filter(([, call]) => !call.startsWith('mount'))) {
    const forGood = /-N|list|mount/.test(call);
    const { result, left } = await leaving(lab, () =>
      tools.during(trouble, `${call}.1`, () => lab.via(['10.0.2.1', '--', 'echo', 'ran']), forGood ? 99 : 2),
    );
    refused(t, result.result, line, call);
    t.deepEqual(left, [], call);
  }
  other.stdin.end();
  t.is((await other.done).stderr, '');
});

test.serial('a group ends, and its rules go, while a launch mends it: it is made again', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const tools = await watchTools(lab);
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, '10.0.2.1');
    await lab.sh('client', 'nft flush chain inet via classify');
    const users = lab.processes().map(({ pid }) => pid);
    const trouble: Trouble = `sh kill -9 ${users.join(' ')}; /run/real/nft delete table inet via; sleep 0.1`;
    const { result } = await tools.during(trouble, 'nft_-f_-.1', () => lab.via(['10.0.2.1', '--', 'echo', 'ran']));
    t.deepEqual([result.code, result.stdout, result.stderr], [0, 'ran\n', '']);
    await held.release();
  });
  t.deepEqual(left, []);
});

test.serial('the device goes down, or away, in the middle of the set-up: nothing is left', async (t) => {
  for (const change of ['ip link set c2 down', 'ip link del c2'] as const)
    for (const call of ['ip_-4_-N.1', 'ip_-4_-batch.1', 'nft_-f_-.1', 'mount_-n_-t.1']) {
      const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
      const tools = await watchTools(lab);
      const trouble: Trouble = `sh ${change.replace('ip', '/run/real/ip')}`;
      const { result } = await tools.during(trouble, call, () => lab.via(['10.0.2.1', '--', 'echo', 'ran']));
      const what = `${change} at ${call}`;
      if (result.code === 125) refused(t, result, /c2|10\.0\.2\.1|ip/, what);
      else t.deepEqual([result.code, result.stdout, result.stderr], [0, 'ran\n', ''], what);
      const after = await snapshot(lab);
      t.deepEqual(diff(after, await snapshot(lab)), []);
      t.notRegex(
        JSON.stringify({ ...after, runs: '' }),
        /proto 118|"protocol":"118"|inet via|\/run\/via[^'"]|via-/,
        what,
      );
      await lab.end();
    }
});
