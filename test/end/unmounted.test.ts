import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { probeCommand } from '../helpers/probes.js';
import { far } from '../helpers/topology.js';

const probe = probeCommand('tcp', { address: far.v4 }).join(' ');
const member = [viaBin, '10.0.2.1', '--', 'sh', '-c', `echo in; read _; ${probe}`];

const hidden = {
  'somebody unmounted the hierarchy': { before: [], script: 'umount -l /run/via/net_cls' },
  'the group was made in another mount namespace': { before: ['unshare', '--mount'], script: ':' },
};

for (const [name, { before, script }] of Object.entries(hidden)) {
  test.serial(`a group that no mount shows is alive: ${name}`, async (t) => {
    const lab = await makeLab(t);
    const { left } = await leaving(lab, async () => {
      const running = lab.start('client', [...before, ...member]);
      await running.waitFor(/in/);
      await lab.sh('client', script);
      t.is((await lab.via(['10.0.1.3', '--', 'true'])).stderr, '');
      running.stdin.end('\n');
      t.regex((await running.done).stdout, /"gateway": "g2"/);
    });
    t.deepEqual(left, []);
  });
}

test.serial('the last one of a group takes it away also where the hierarchy was unmounted meanwhile', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const running = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _; exit 3']);
    await running.waitFor(/in/);
    await lab.sh('client', 'umount -l /run/via/net_cls');
    running.stdin.end('\n');
    const { code, stderr } = await running.done;
    t.deepEqual([code, stderr], [3, '']);
  });
  t.deepEqual(left, []);
});
