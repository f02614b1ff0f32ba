import test from 'ava';
import { markBy } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { probeCommand, readProbe } from '../helpers/probes.js';
import { far } from '../helpers/topology.js';

const ask = probeCommand('tcp', { address: far.v4 });
const words = ['--firewall', 'iptables', '10.0.2.1', '--'];
const legacy = 'iptables-legacy -t nat -A POSTROUTING -o nowhere -j ACCEPT';
const nft = 'iptables-nft -t nat -A POSTROUTING -o nowhere -j ACCEPT';

/** What somebody has in the two variants, and which of them via then takes. */
const mixes = {
  'in neither': ['', 'iptables-nft'],
  'in nf_tables': [nft, 'iptables-nft'],
  'in legacy': [legacy, 'iptables-legacy'],
  'in legacy, of IPv6': [legacy.replace('ip', 'ip6'), 'iptables-legacy'],
  'in both': [`${nft}; ${legacy}`, 'iptables-legacy'],
} as const;

/** A member of a group that says by what it is marked, and stays until its input ends. */
async function member(lab: Lab) {
  const running = lab.start('client', [viaBin, ...words, 'sh', '-c', 'cat /run/via/group-*; echo in; read _']);
  await running.waitFor(/^in$/m);
  return {
    firewalls: [...running.stdout.matchAll(/"firewall":"([^"]+)"/g)].map(([, name]) => name),
    end() {
      running.stdin.end();
      return running.done;
    },
  };
}

/** Legacy's tables, once listed, stay, and say nothing about who uses them. */
const tables = `for tool in iptables-legacy ip6tables-legacy; do
  for table in raw mangle nat filter; do $tool -t $table -S >/dev/null; done
done`;

for (const [name, [rules, expected]] of Object.entries(mixes))
  test.serial(`rules of others ${name}: ${expected}`, async (t) => {
    markBy('nft');
    const lab = await makeLab(t);
    await lab.sh('client', `${tables}\n${rules}`);
    const { left } = await leaving(lab, async () => {
      const one = await member(lab);
      t.deepEqual(one.firewalls, [expected]);
      t.is(readProbe(await lab.run('client', [viaBin, ...words, ...ask])).gateway, 'g2');
      t.is((await one.end()).stderr, '');
    });
    t.deepEqual(left, []);
  });

for (const [made, first, later] of [
  ['iptables-nft', nft, legacy],
  ['iptables-legacy', legacy, `${nft}; ${legacy.replace('-A', '-D')}`],
] as const)
  test.serial(`a group that ${made} marks is joined by a launch that would choose the other`, async (t) => {
    markBy('nft');
    const lab = await makeLab(t);
    await lab.sh('client', `${tables}\n${nft}; ${nft.replace('-A', '-D')}; ${first}`);
    const rules = () => lab.sh('client', listRules);
    const { left } = await leaving(lab, async () => {
      const one = await member(lab);
      t.deepEqual(one.firewalls, [made]);
      await lab.sh('client', later);
      const during = await rules();
      const two = await member(lab);
      t.deepEqual(two.firewalls, [made]);
      t.is(await rules(), during, 'one set of rules');
      const joined = await lab.run('client', [viaBin, ...words, ...ask]);
      t.deepEqual([readProbe(joined).gateway, joined.stderr], ['g2', '']);
      for (const each of [one, two]) t.is((await each.end()).stderr, '');
      // Back to what there was before, by whoever did it.
      await lab.sh(
        'client',
        made === 'iptables-nft' ? later.replace('-A', '-D') : `${nft.replace('-A', '-D')}; ${legacy}`,
      );
    });
    t.deepEqual(left, []);
  });

const listRules =
  'for tool in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do $tool-save 2>/dev/null | grep "^-A" | sort || :; done';
