import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { launchWords } from '../helpers/firewall.js';
import { far } from '../helpers/topology.js';
import { snapshot, diff } from '../helpers/snapshot.js';

const ask = `curl -s -m2 ${far.v4}`;
const via = (gateway: string, command = ask) => `${launchWords([gateway]).join(' ')} -- ${command}`;

/** The names of the gateways that answered, in their order. */
async function answers(lab: Lab, words: string[]): Promise<string[]> {
  const { stdout, stderr } = await lab.via(words);
  return [...stdout.matchAll(/^(g\d) /gm)].map(([, name]) => name ?? '').concat(stderr === '' ? [] : stderr);
}

const shell = (...lines: string[]) => ['--', 'sh', '-c', lines.join('\n')];

test.serial('inside via: the inner one wins, and its end leaves the outer as it was', async (t) => {
  const lab = await makeLab(t);
  const clean = await snapshot(lab);
  t.deepEqual(await answers(lab, ['10.0.2.1', ...shell(ask, via('10.0.1.3'), ask)]), ['g2', 'g3', 'g2']);
  t.deepEqual(await answers(lab, ['10.0.2.1', ...shell(ask, via('none'), ask)]), ['g2', 'g1', 'g2']);
  const deep = via('10.0.1.3', `sh -c '${ask}; ${via('10.0.2.1')}; ${via('none')}; ${ask}'`);
  t.deepEqual(await answers(lab, ['10.0.2.1', ...shell(deep, ask)]), ['g3', 'g2', 'g1', 'g3', 'g2']);
  // An option that makes another way out of the same gateway.
  t.deepEqual(await answers(lab, ['10.0.2.1', ...shell(via('--no-lan 10.0.2.1'), ask)]), ['g2', 'g2']);
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});

test.serial('the same gateway inside is one more member of the same group', async (t) => {
  const lab = await makeLab(t);
  const group = 'grep -o "via-.*" /proc/self/cgroup';
  const { stdout } = await lab.via([
    '10.0.2.1',
    ...shell(group, via('10.0.2.1', group), via('10.0.2.1%c2', group), ask),
  ]);
  const [outer, inner, named, answer] = stdout.trim().split('\n');
  t.regex(outer ?? '', /^via-[0-9a-f-]{36}$/);
  t.deepEqual([inner, named], [outer, outer]);
  t.regex(answer ?? '', /^g2 /);
});

test.serial('none: outside any group, changing nothing', async (t) => {
  const lab = await makeLab(t);
  const clean = await snapshot(lab);
  const look = `${ask}; grep net_cls /proc/self/cgroup; ls -d /run/via`;
  t.regex((await lab.via(['none', ...shell(look)])).stdout, /^g1 \S+ \d+\n\d+:\S+:\/\n$/);
  const inner = via('none', `sh -c '${look}'`);
  t.regex((await lab.via(['10.0.2.1', ...shell(inner)])).stdout, /^g1 \S+ \d+\n\d+:\S+:\/\n\/run\/via\n$/);
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});

test.serial('a process that the inner one left stays by its gateway, and the outer ends before it', async (t) => {
  const lab = await makeLab(t);
  const clean = await snapshot(lab);
  const late = `(sleep 0.5; ${ask}) >/run/late 2>&1 &`;
  const inner = via('10.0.1.3', `sh -c '${late}'`);
  t.deepEqual(await answers(lab, ['10.0.2.1', ...shell(inner, ask)]), ['g2']);
  while (lab.processes().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  t.regex(await lab.sh('client', 'cat /run/late; rm /run/late'), /^g3 /);
  t.is((await lab.via(['sweep'])).code, 0);
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});

test.serial(
  'the inner one outlives the outer: the outer group goes with its last command, the inner with its own',
  async (t) => {
    const lab = await makeLab(t, { servers: false });
    const clean = await snapshot(lab);
    for (const gateway of ['10.0.1.3', 'none']) {
      const inner = via(gateway, `sh -c 'echo >/run/in; sleep 0.4'`);
      await lab.via(['10.0.2.1', ...shell(`${inner} >/dev/null 2>&1 &`, 'until [ -e /run/in ]; do sleep 0.01; done')]);
      const rules = await lab.sh('client', 'ip rule');
      t.is(/fwmark 0x44000000/.test(rules), false, rules);
      while (lab.processes().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      await lab.sh('client', 'rm /run/in');
      t.deepEqual(diff(clean, await snapshot(lab)), [], gateway);
    }
  },
);
