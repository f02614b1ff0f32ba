import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { seesAll } from '../helpers/firewall.js';
import { probeAll, outside } from '../helpers/probes.js';
import { refuses } from '../helpers/refused.js';
import { by } from '../helpers/runners.js';

const both = '10.0.2.1,fd02::1';
const everywhere = (gateway: string) =>
  Object.fromEntries(['tcp', 'udp', 'ping'].flatMap((kind) => [4, 6].map((family) => [`${kind} v${family}`, gateway])));

/** The mark, table and preference of the first group by this way out, which follow from it. */
const numbers = `ip -N rule | sed -n 's/^\\([0-9]*\\):.*fwmark \\(0x[0-9a-f]*\\).* lookup \\([0-9]*\\).*/P=\\1 M=\\2 T=\\3/p'`;

/** What somebody else does with numbers and names of ours: $P preference, $M mark, $T table. */
const others: Record<string, string> = {
  'a rule by our mark, and a table of that number': `
    ip rule add pref 90 fwmark $M/0xff000000 lookup $T; ip route add default via 10.0.1.1 table $T
    ip -6 rule add pref 90 fwmark $M/0xff000000 lookup $T; ip -6 route add default via fd01::1 table $T`,
  'a rule by one of its bits': 'B=$((M & -M)); ip rule add pref 90 fwmark $B/$B lookup main',
  'a rule at our preference':
    'ip rule add pref $P from 192.0.2.1 lookup main; ip -6 rule add pref $P from fd09::1 lookup main',
};

for (const [name, script] of Object.entries(others))
  test.serial(`another tool has ${name}: via takes other numbers`, async (t) => {
    const lab = await makeLab(t);
    const { stdout } = await lab.via([both, '--', 'sh', '-c', numbers]);
    const [, preference, mark, table] = /P=(\d+) M=(\S+) T=(\d+)/.exec(stdout) ?? [];
    await lab.sh('client', `P=${preference} M=${mark} T=${table}\n${script}`);
    const { left } = await leaving(lab, async () => {
      t.deepEqual(await probeAll(by(lab, both)), everywhere('g2'));
      t.deepEqual(await probeAll(outside(lab)), everywhere('g1'));
      const second = (await lab.via([both, '--', 'sh', '-c', `${numbers} | tail -1`])).stdout;
      t.notRegex(second, new RegExp(`P=${preference} M=${mark} T=${table}\\b`));
    });
    t.deepEqual(left, []);
  });

/** Marks of ours that are in rules of a firewall only, where nothing is looked for: what comes of it. */
const inFirewalls: Record<string, string> = {
  'drops packets with it': `nft "table inet foreign { chain c { type filter hook postrouting priority 0; meta mark & 0xff000000 == $M drop; }; }"`,
  'rejects packets with it':
    'iptables -A OUTPUT -m mark --mark $M/0xff000000 -j REJECT; ip6tables -A OUTPUT -m mark --mark $M/0xff000000 -j REJECT',
};

for (const [name, script] of Object.entries(inFirewalls))
  test.serial(`another tool has our mark in rules of a firewall only, and ${name}: closed`, async (t) => {
    const lab = await makeLab(t);
    const { stdout } = await lab.via([both, '--', 'sh', '-c', numbers]);
    const mark = /M=(\S+)/.exec(stdout)?.[1];
    await lab.sh('client', `M=${mark}\n${script}`);
    const { left } = await leaving(lab, async () => {
      const seen = await probeAll(by(lab, both));
      t.deepEqual(
        Object.values(seen).filter((who) => /^g\d$/.test(who)),
        [],
        JSON.stringify(seen),
      );
      t.deepEqual(await probeAll(outside(lab)), everywhere('g1'));
    });
    t.deepEqual(left, []);
  });

// Of iptables, test/iptables/left.test.ts shows it.
if (seesAll())
  test.serial('another tool has a table or a chain of our name: via says so, or does not mind', async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', 'nft add table inet via');
    await refuses(t, lab, [both, '--', 'true'], /^via: firewall table inet via: not made by via/);
    await lab.sh(
      'client',
      'nft delete table inet via; iptables -t mangle -N via-out; iptables -t mangle -A via-out -j ACCEPT',
    );
    const { result, left } = await leaving(lab, () => probeAll(by(lab, both)));
    t.deepEqual([result, left], [everywhere('g2'), []]);
  });
