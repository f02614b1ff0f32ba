import test from 'ava';
import { start } from '../helpers/exec.js';
import { makeLab, type LabOptions } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { probe } from '../helpers/probes.js';

// As systemd mounts it where it still does. It can be had only while nobody on the machine has net_cls
// mounted alone, so this waits for a moment when no lab is there; labs that come later share it.
const mount = 'mount -t cgroup -o net_cls,net_prio via-test /mnt';
const script = `n=0; until ${mount} 2>/dev/null; do [ $((n += 1)) -lt 30000 ]; sleep 0.02; done; echo mounted; read _`;

for (const options of [{}, { netCls: 'mounted' }] as LabOptions[])
  test.serial(`a hierarchy shared by net_cls and net_prio ${JSON.stringify(options)}`, async (t) => {
    const holder = start(['unshare', '--mount', 'sh', '-ec', script], { detached: true });
    t.teardown(() => holder.stdin.end());
    await holder.waitFor(/mounted/, { timeout: 600_000 });
    const lab = await makeLab(t, options);
    t.regex(await lab.sh('client', 'cat /proc/self/cgroup'), /^\d+:net_cls,net_prio:/m);
    for (const gateway of ['10.0.2.1', 'fd02::1', '10.0.1.3']) {
      const { result, left } = await leaving(lab, () =>
        lab.via([gateway, '--', 'cat', '/proc/self/cgroup', '/proc/mounts']),
      );
      t.deepEqual([result.code, result.stderr, left], [0, '', []], gateway);
      t.regex(result.stdout, /^\d+:net_cls,net_prio:\/via-/m);
      t.regex(result.stdout, / cgroup rw,\S*net_cls,net_prio /);
    }
    t.is((await probe((argv) => lab.via(['10.0.2.1', '--', ...argv]), 'tcp', 4)).gateway, 'g2');
    const { left } = await leaving(lab, async () => {
      const killed = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
      await killed.waitFor(/in/);
      killed.kill('SIGKILL');
      killed.stdin.end();
      await killed.done;
      t.is((await lab.via(['10.0.1.3', '--', 'true'])).stderr, '');
    });
    t.deepEqual(left, []);
  });
