import test from 'ava';
import { bothOf, inGroup, startSender } from '../closed/senders.js';
import { behind, makeBehind } from '../helpers/behind.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { allKinds, outside, probe, probeCommand } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far, gateways } from '../helpers/topology.js';
import { unguarded, unmarked, watch } from './passing.js';

/** What comes of asking from behind: who answered, and the source it saw; UDP with a port that the router can keep. */
async function askFromBehind(lab: Lab): Promise<Record<string, string>> {
  const asked = allKinds.flatMap((one) => (['far', 'g2'] as const).map((where) => [...one, where] as const));
  const answers = asked.map(async ([kind, family, where]) => {
    const address = (where === 'far' ? far : gateways.g2)[`v${family}`];
    const localPort = 5000 + family + (where === 'far' ? 0 : 10);
    const options = kind === 'udp' ? { address, localPort } : { address };
    const { gateway, source, port, error } = await probe(outside(lab, 'behind'), kind, family, options);
    const seen = kind === 'ping' ? gateway : `${gateway} ${source}${kind === 'udp' ? ` ${port}` : ''}`;
    return [`${kind} v${family} ${where}`, error ?? seen ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

for (const home of ['nft', 'iptables', 'routed'] as const)
  test.serial(`${home}: what passes through a router from behind it`, async (t) => {
    const lab = await makeLab(t);
    await makeBehind(lab, home);
    await lab.sh('client', watch(home));
    const before = await askFromBehind(lab);
    const source = home === 'routed' ? behind : client.c1;
    t.like(before, {
      'udp v4 far': `g1 ${source.v4} 5004`,
      'udp v6 far': `g1 ${source.v6} 5006`,
      'tcp v6 g2': `g2 ${home === 'routed' ? behind.v6 : client.c2.v6}`,
    });
    const talkers = [far.v4, far.v6].map((address) =>
      lab.start('behind', probeCommand('tcp', { address, port: 7001, talk: true, localPort: 4301 })),
    );
    const say = async (word: string) => {
      for (const [i, talker] of talkers.entries()) {
        talker.write(`${word}\n`);
        await talker.waitFor(new RegExp(`^g1 ${i === 0 ? source.v4 : source.v6} 4301 ${word}$`, 'm'));
      }
    };
    await say('one');
    const there = `net 192.168.7.0/24 or net fd07::/64 or host ${client.c1.v4} or host ${client.c1.v6}`;
    const strays = await sniff(lab, 'client', 'c2', `(${there}) and (host ${far.v4} or host ${far.v6})`);
    const { left } = await leaving(lab, async () => {
      const held = [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))];
      const sender = await startSender(lab, (argv) => inGroup('via', 'g2', argv));
      await sender.served('g2');
      await unguarded(t, lab, async () => {
        t.deepEqual(await askFromBehind(lab), before);
        await say('two');
      });
      await sender.end();
      for (const one of held) await one.release();
    });
    t.deepEqual(left, []);
    await say('three');
    t.deepEqual(await askFromBehind(lab), before);
    for (const talker of talkers) {
      talker.stdin.end();
      t.is((await talker.done).code, 0);
    }
    t.deepEqual(await strays.stop(), []);
    await unmarked(t, lab);
  });
