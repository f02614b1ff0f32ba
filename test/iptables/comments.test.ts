import test from 'ava';
import { markBy } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';

/** What somebody may say of a rule of his: what stands between, in or around ours, and what a shell would act on. */
const comments = [
  '# IPv6',
  '# IPv6 by the tunnel',
  'v2.0 jump 3',
  'say "x.0 jump 4"',
  '--comment x.0 jump 5 -j via-out',
  '[1:2] -A OUTPUT -j via-out',
  ':via-out - [0:0]',
  'COMMIT',
  'END-OF-INPUT',
  "it's $(id) \\ `id`",
];

for (const firewall of ['iptables-nft', 'iptables-legacy'] as const)
  test.serial(`${firewall}: what others say of their rules is no word of ours`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t);
    for (const tool of [firewall, firewall.replace('ip', 'ip6')])
      for (const [table, chain] of [
        ['mangle', 'OUTPUT'],
        ['nat', 'POSTROUTING'],
      ])
        for (const comment of comments) {
          const words = [
            '-t',
            table!,
            '-A',
            chain!,
            '-p',
            'sctp',
            '-m',
            'comment',
            '--comment',
            comment,
            '-j',
            'RETURN',
          ];
          t.is((await lab.run('client', [tool, ...words])).stderr, '');
        }
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '10.0.2.1,fd02::1');
      const second = await lab.via(['-v', '10.0.2.1,fd02::1', '--', 'true']);
      t.regex(second.stderr, /^(via: )?echo \$\$ > \S+\n# \S+: sent \d+ packets, .*\n$/);
      const answers = await probeAll(by(lab, '10.0.2.1,fd02::1'));
      t.deepEqual([...new Set(Object.values(answers))], ['g2']);
      t.is((await held.release()).stderr, '');
    });
    t.deepEqual(left, []);
  });
