import test from 'ava';
import { readSave } from '../../src/plan/marking/iptables/listing.js';
import { launchWords, markBy } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { allKinds, outside, probe, probeAll, probeCommand, readProbe } from '../helpers/probes.js';
import { by, hold, type Held } from '../helpers/runners.js';
import { far, type Gateway } from '../helpers/topology.js';

const asked = allKinds.filter(([, family]) => family === 4);
const words: [Gateway, string[]][] = [
  ['g2', ['10.0.2.1,fd02::1']],
  ['g3', ['10.0.1.3,fd01::3']],
  ['g2', ['10.0.2.1,fd02::1', '--no-lan']],
  ['g3', ['10.0.1.3,fd01::3', '--no-lan']],
  ['g1', ['10.0.1.1,fd01::1']],
  ['g2', ['10.0.2.1', '--ipv6', 'allow']],
  ['g3', ['10.0.1.3', '--ipv6', 'allow']],
  ['g2', ['10.0.2.1']],
  ['g3', ['10.0.1.3']],
  ['g1', ['10.0.1.1']],
];

/** Which of these do not leave by their gateway. */
async function astray(lab: Lab, list: typeof words): Promise<string[]> {
  const found = list.map(async ([gateway, [name = '', ...options]]) => {
    const answers = await probeAll(by(lab, ...options, name), asked);
    return Object.entries(answers).flatMap(([kind, who]) =>
      who === gateway ? [] : [`${gateway} ${name} ${options.join(' ')} ${kind}: ${who}`],
    );
  });
  return (await Promise.all(found)).flat();
}

for (const firewall of ['iptables-nft', 'iptables-legacy'] as const) {
  test.serial(`${firewall}: ten groups at once, and one that leaves disturbs no other`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t);
    const { left } = await leaving(lab, async () => {
      const talker = lab.start('client', [
        ...launchWords(['10.0.2.1,fd02::1']),
        '--',
        ...probeCommand('tcp', { address: far.v4, port: 7001, talk: true }),
      ]);
      const say = async (word: string) => {
        talker.write(`${word}\n`);
        await talker.waitFor(new RegExp(`^g2 10.0.2.2 \\d+ ${word}$`, 'm'));
      };
      await say('first');
      const held: Held[] = [];
      for (const [, list] of words) held.push(await hold(lab, ...list));
      t.deepEqual(await astray(lab, words), []);
      await say('second');
      for (const one of held.splice(1, 4)) await one.release();
      t.deepEqual(await astray(lab, [...words.slice(0, 1), ...words.slice(5)]), []);
      await say('third');
      for (const one of held) t.is((await one.release()).stderr, '');
      await say('fourth');
      talker.stdin.end();
      t.is((await talker.done).stderr, '');
    });
    t.deepEqual(left, []);
    t.is((await probe(outside(lab), 'udp', 4)).gateway, 'g1');
  });

  test.serial(`${firewall}: what the guard stops is counted, for each group`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t, { servers: false });
    const held = [await hold(lab, '10.0.2.1,fd02::1'), await hold(lab, '10.0.1.3')];
    const stopped = async () => {
      const [v4, v6] = [
        readSave(firewall, 4, await lab.sh('client', `${firewall}-save -c`)),
        readSave(firewall, 6, await lab.sh('client', `${firewall.replace('ip', 'ip6')}-save -c`)),
      ];
      const slotOf = (device: string) =>
        v4.groups.find(({ wayOut }) => typeof wayOut.v4 !== 'string' && wayOut.v4.device === device)?.slot ?? 0;
      return ['c2', 'c1'].map((device) => [v4, v6].map(({ stopped }) => stopped.get(slotOf(device))?.packets));
    };
    t.deepEqual(await stopped(), [
      [0, 0],
      [0, 0],
    ]);
    for (const family of [4, 6] as const)
      await probe(by(lab, '10.0.2.1,fd02::1'), 'udp', family, { device: 'c1', timeout: 0.1 });
    const [[v4, v6] = [], other] = await stopped();
    t.deepEqual([v4, v6, other], [1, 1, [0, 0]]);
    for (const one of held) await one.release();
  });

  test.serial(`${firewall}: 50 launches at once while somebody holds the lock of iptables`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t);
    await lab.sh('client', 'touch /run/xtables.lock');
    const { left } = await leaving(lab, async () => {
      const holder = lab.start('client', ['flock', '/run/xtables.lock', 'sh', '-c', 'echo ready; sleep 2']);
      await holder.waitFor(/ready/);
      const names = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? '10.0.2.1' : '10.0.1.3'));
      const ask = probeCommand('tcp', { address: far.v4, timeout: 5 });
      const results = await Promise.all(names.map((name) => lab.via([name, '--', ...ask])));
      for (const { stderr } of results) t.is(stderr, '');
      t.deepEqual(
        results.map((result) => readProbe(result).gateway),
        names.map((name) => (name === '10.0.2.1' ? 'g2' : 'g3')),
      );
      await holder.done;
    });
    t.deepEqual(left, []);
  });
}
