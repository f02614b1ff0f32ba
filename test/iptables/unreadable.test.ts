import test from 'ava';
import { markBy } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { refuses } from '../helpers/refused.js';
import { hold } from '../helpers/runners.js';

/** A rule that iptables does not know, in a chain that it has too; by its table. */
const hooks = {
  'ip mangle': 'type route hook output priority -150',
  'ip nat': 'type nat hook output priority -100',
  'ip6 filter': 'type filter hook output priority 0',
};
const native = (table: keyof typeof hooks): string =>
  `nft 'table ${table} { chain OUTPUT { ${hooks[table]}; meta mark set jhash tcp sport mod 2; }; }'`;

test.serial('a table with rules that iptables does not know: no group by it, and nothing of one', async (t) => {
  markBy('iptables-nft');
  const lab = await makeLab(t, { servers: false });
  for (const table of Object.keys(hooks) as (keyof typeof hooks)[]) {
    await lab.sh('client', native(table));
    await refuses(
      t,
      lab,
      ['10.0.2.1', '--', 'true'],
      new RegExp(`firewall table ${table}: holds rules that iptables-nft cannot read`),
    );
    const { result, left } = await leaving(lab, () => lab.run('client', [viaBin, '10.0.2.1', '--', 'echo', 'ran']));
    t.deepEqual([result.stdout, result.stderr, left], ['ran\n', '', []], 'by nftables');
    await lab.sh('client', `nft delete table ${table}`);
  }
});

test.serial('such rules come while a group is in use: once they are gone, a sweep takes the rest', async (t) => {
  markBy('iptables-nft');
  const lab = await makeLab(t, { servers: false });
  await lab.sh('client', `${native('ip mangle')}; nft flush chain ip mangle OUTPUT`);
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, '10.0.2.1');
    await lab.sh('client', native('ip mangle'));
    await refuses(t, lab, ['10.0.1.3', '--', 'true'], /table ip mangle: holds rules that/);
    await held.release();
    await lab.sh(
      'client',
      `nft delete rule ip mangle OUTPUT handle $(nft -a list chain ip mangle OUTPUT | sed -n 's/.*jhash.*handle //p')`,
    );
    t.is((await lab.via(['sweep'])).stderr, '');
  });
  t.deepEqual(left, []);
});

test.serial('a rule that iptables reads half: via says so in its words, and lists no rules', async (t) => {
  markBy('iptables-nft');
  const lab = await makeLab(t, { servers: false });
  await lab.sh(
    'client',
    `iptables-nft -t mangle -A OUTPUT -j ACCEPT
    nft add rule ip mangle OUTPUT meta cgroup 5 ip dscp set 3`,
  );
  const { code, stderr } = await lab.start('client', [viaBin, '--firewall', 'iptables', '10.0.2.1', 'true']).done;
  t.is(code, 125);
  t.regex(stderr, /^via: firewall iptables-nft-save: .*Parsing nftables rule failed.*; --firewall=nft\)\n$/);
  t.notRegex(stderr, /PREROUTING|Generated/);
});
