import test from 'ava';
import { othersIptables } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { client } from '../helpers/topology.js';

const pair = '10.0.2.1,fd02::1';

/** All that is sent gets an address of main's device, whatever it leaves by. */
const native = [
  `nft 'table inet foreign { chain p { type nat hook postrouting priority 100; meta nfproto ipv4 snat ip to ${client.c1.v4}; meta nfproto ipv6 snat ip6 to ${client.c1.v6}; }; }'`,
  'nft delete table inet foreign',
] as const;

const translations = (): (readonly [makes: string, removes: string])[] => {
  const rule = (verb: string): string =>
    ([4, 6] as const)
      .map(
        (family) =>
          `${othersIptables()[family]} -t nat ${verb} POSTROUTING -j SNAT --to-source ${client.c1[`v${family}`]}`,
      )
      .join('\n');
  return [native, [rule('-A'), rule('-D')]];
};

for (const order of ['before', 'while'] as const)
  test.serial(`somebody's translation of all that is sent, loaded ${order} a group is there`, async (t) => {
    const lab = await makeLab(t);
    for (const [makes, removes] of translations()) {
      await lab.sh('client', `${makes}\n${removes}`);
      if (order === 'before') await lab.sh('client', makes);
      const { left } = await leaving(lab, async () => {
        const held = await hold(lab, pair);
        if (order === 'while') await lab.sh('client', makes);
        for (const family of [4, 6] as const)
          for (const kind of ['tcp', 'udp'] as const) {
            const seen = await probe(by(lab, pair), kind, family);
            t.deepEqual(
              [seen.gateway, seen.source],
              ['g2', client.c2[`v${family}`]],
              `${kind} v${family} beside ${makes}`,
            );
            t.is((await probe(outside(lab), kind, family)).gateway, 'g1');
          }
        await held.release();
        if (order === 'while') await lab.sh('client', removes);
      });
      t.deepEqual(left, []);
      if (order === 'before') await lab.sh('client', removes);
    }
  });
