import test from 'ava';
import { markBy } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { outside, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';

const g2 = '10.0.2.1,fd02::1';
const g3 = '10.0.1.3,fd01::3';

/** What makes iptables' other variant the one in use; its tables, once there, stay. */
const useLegacy = `for table in raw mangle nat filter; do
    iptables-legacy -t $table -S >/dev/null; ip6tables-legacy -t $table -S >/dev/null
  done
  iptables-legacy -A INPUT -i nowhere -j ACCEPT`;

/** All rules of all firewalls there are, and what else a group is made of. */
const leftovers = `for save in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
    $save-save 2>/dev/null | grep -e '^-A' -e via || :
  done
  nft list tables; ip rule | grep fwmark || :; ip route show table all | grep 'proto 118' || :; ls -d /run/via* 2>/dev/null || :`;

test.serial('groups of both variants of iptables, and of nftables, at once', async (t) => {
  markBy('iptables-nft');
  const lab = await makeLab(t);
  const first = await hold(lab, g2);
  await lab.sh('client', useLegacy);
  const second = await hold(lab, g3);
  const third = await hold(lab, '--firewall', 'nft', '10.0.1.1,fd01::1');
  const lists = await lab.sh('client', 'iptables-nft-save; echo; iptables-legacy-save; echo; nft list tables');
  t.is(new Set(lists.match(/^:via-guard-\d+|^table inet via$/gm)).size, 3, lists);
  for (const [words, name] of [
    [[g2], 'g2'],
    [[g3], 'g3'],
    [['--firewall', 'nft', '10.0.1.1,fd01::1'], 'g1'],
  ] as const) {
    const answers = await probeAll(by(lab, ...words));
    t.deepEqual([...new Set(Object.values(answers))], [name], JSON.stringify(answers));
  }
  t.deepEqual([...new Set(Object.values(await probeAll(outside(lab))))], ['g1']);
  await second.release();
  await third.release();
  const answers = await probeAll(by(lab, g2));
  t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
  await first.release();
  t.is(await lab.sh('client', leftovers), '-A INPUT -i nowhere -j ACCEPT\n');
});
