import test from 'ava';
import { makeLab, type LabOptions } from '../helpers/lab.js';
import { leaving, quiet } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { builtins } from '../helpers/iptables.js';
import { walk } from '../helpers/steps.js';

const labs: Record<string, LabOptions & { options?: string[] }> = {
  'via mounts net_cls itself, strict rp_filter': { rpFilter: { c2: 1 } },
  'net_cls is mounted already': { netCls: 'mounted' },
  'by iptables': { netCls: 'mounted', options: ['--firewall=iptables'] },
};

for (const [where, { options = [], ...about }] of Object.entries(labs)) {
  const words = [...options, '10.0.2.1', '--', 'echo', 'ran'];
  for (const action of ['fail', 'SIGKILL', 'SIGTERM'])
    test.serial(`${where}: ${action} at each step`, async (t) => {
      const lab = await makeLab(t, { servers: false, ...about });
      if (options.length > 0) await lab.sh('client', builtins);
      const { steps } = await walk(lab, words, 'nothing');
      t.log(`${steps.length} steps: ${steps.map((step) => step.replace(/^\d+ /, '')).join(', ')}`);
      for (const [i, step] of steps.entries()) {
        const what = `${action} at ${step}`;
        const { left } = await leaving(lab, async () => {
          const { result, left: now } = await leaving(lab, () => walk(lab, words, action, i + 1));
          const { code, signal, stdout, stderr } = result.result;
          if (action === 'SIGKILL') t.is(signal, 'SIGKILL', what);
          else if (step.endsWith('spawn echo')) {
            // It cannot be run; or it is just there to get the signal.
            t.true(action === 'fail' ? code === 126 : signal === 'SIGTERM' || code === 0, what);
            t.deepEqual(now, [], what);
          } else if (stdout === '') {
            t.deepEqual([code, signal], action === 'fail' ? [125, null] : [null, 'SIGTERM'], what);
            t.regex(stderr, action === 'fail' ? /^via: [^\n]+\n$/ : /^$/, what);
            t.notRegex(stderr, /internal/, what);
            t.deepEqual(now, [], what);
          } else {
            t.is(code, 0, what);
            t.regex(stderr, /^(via: [^\n]+\n)?$/, what);
            t.notRegex(stderr, /internal/, what);
            if (stderr === '') t.deepEqual(now, [], what);
          }
          await quiet(lab);
          t.is((await lab.via(['sweep'])).stderr, '', what);
        });
        t.deepEqual(left, [], what);
      }
    });

  const others: Record<string, string> = {
    'somebody sweeps': `${viaBin} sweep`,
    'somebody launches by the same gateway': `${viaBin} 10.0.2.1 -- true`,
    'somebody launches by another': `${viaBin} 10.0.1.3 -- true`,
    'somebody in another network namespace launches': `nsenter --net=/run/netns/g1 ${viaBin} 10.0.1.3 -- true`,
  };
  for (const [who, command] of Object.entries(others))
    test.serial(`${where}: between any two steps ${who}`, async (t) => {
      const lab = await makeLab(t, { servers: false, ...about });
      if (options.length > 0) await lab.sh('client', builtins);
      const { steps } = await walk(lab, words, 'nothing');
      for (const [i, step] of steps.entries()) {
        const { left } = await leaving(lab, async () => {
          const { result } = await walk(lab, words, `run ${command}`, i + 1);
          t.deepEqual([result.code, result.stdout, result.stderr], [0, 'ran\n', ''], step);
        });
        await quiet(lab);
        t.deepEqual(left, [], `at ${step}`);
      }
    });
}

test.serial(
  'between any two steps somebody unmounts net_cls: the command is in its group, or does not run',
  async (t) => {
    const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
    const look = ['10.0.2.1', '--', 'cat', '/proc/self/cgroup'];
    const { steps } = await walk(lab, look, 'nothing');
    for (const [i, step] of steps.entries()) {
      const { left } = await leaving(lab, async () => {
        const { result } = await walk(lab, look, 'run umount /run/via/net_cls', i + 1);
        if (result.stdout === '') {
          t.is(result.code, 125, step);
          t.regex(result.stderr, /^via: [^\n]+\n$/, step);
        } else t.regex(result.stdout, /net_cls[^:]*:\/via-/, step);
        t.notRegex(result.stderr, /internal/, step);
        await quiet(lab);
        t.is((await lab.via(['sweep'])).stderr, '', step);
      });
      t.deepEqual(left, [], step);
    }
  },
);
