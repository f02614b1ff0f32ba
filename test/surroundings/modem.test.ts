import test from 'ava';
import { classic } from '../helpers/classic.js';
import { withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff, type Sniffer } from '../helpers/sniff.js';
import { far } from '../helpers/topology.js';

/** The modem's network, as it leads to g1: a device that asks for no neighbour, so that no router has to be named. */
const cable = `
  ip link add wwan0 netns client address 02:00:00:00:06:02 type veth peer name wwan netns g1 address 02:00:00:00:06:02
  ip netns exec g1 ip link set wwan arp off up
  ip netns exec g1 ip address add 10.0.6.1/30 dev wwan
  ip netns exec g1 ip -6 address add fd06::1/64 dev wwan
  ip netns exec client ip link set wwan0 arp off up
  ip netns exec client ip address add 10.0.6.2/30 dev wwan0
  ip netns exec client ip -6 address add fd06::2/64 dev wwan0`;

/** Main's default by it, in the words of those who add one. */
const defaults = {
  'said to be static': (metric: string) => `proto static scope link ${metric}`,
  'said to be of DHCP': (metric: string) => `proto dhcp scope link ${metric}`,
  'said to be of the kernel': (metric: string) => `proto kernel scope link ${metric}`,
};

async function makeModem(lab: Lab, words: string): Promise<void> {
  await lab.sh('lan', cable);
  await lab.sh(
    'client',
    `ip route del default; ip route add default dev wwan0 ${words}
    ip -6 route del default; ip -6 route add default dev wwan0 ${words.replace('scope link', '')}`,
  );
}

/** What goes by the modem to the far addresses. */
const watch = (lab: Lab): Promise<Sniffer> =>
  sniff(lab, 'client', 'wwan0', `dst host ${far.v4} or dst host ${far.v6}`, { marker: '10.0.6.1' });

const both = '10.0.2.1,fd02::1';

for (const [name, words] of Object.entries(defaults))
  test.serial(`a default route without a next hop, ${name}, and a gateway elsewhere`, async (t) => {
    const lab = await makeLab(t);
    await makeModem(lab, words('metric 700'));
    for (const family of [4, 6] as const) {
      const source = family === 4 ? '10.0.6.2' : 'fd06::2';
      t.like(await probe(outside(lab), 'tcp', family), { gateway: 'g1', source });
    }
    const capture = await watch(lab);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, both);
      const answers = await probeAll(by(lab, both));
      t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
      for (const family of [4, 6] as const) {
        // The modem's own network is a connected one; all that is beyond it is not.
        const address = family === 4 ? '10.0.6.1' : 'fd06::1';
        t.is((await probe(by(lab, both), 'tcp', family, { address })).gateway, 'g1');
        const words = ['ip', `-${family}`, 'route', 'show', 'table', 'all'];
        const { stdout } = await lab.run('client', words);
        const copied = stdout.split('\n').filter((line) => /^default dev wwan0 .*proto 118/.test(line));
        t.deepEqual(copied, []);
      }
      await held.release();
    });
    t.deepEqual(left, []);
    t.deepEqual(await capture.stop(), []);
  });

if (withClassic())
  test.serial('the classic recipe sends IPv6 by the modem', async (t) => {
    const lab = await makeLab(t);
    await makeModem(lab, defaults['said to be static'](''));
    const capture = await watch(lab);
    t.is((await probe((argv) => classic(lab, 'g2', argv), 'tcp', 6)).gateway, 'g1');
    t.not((await capture.stop()).length, 0);
  });

test.serial('the modem as the gateway', async (t) => {
  const lab = await makeLab(t);
  await makeModem(lab, defaults['said to be static']('metric 700'));
  await lab.sh('client', 'ip route add default via 10.0.2.1 metric 10; ip -6 route add default via fd02::1 metric 10');
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g2');
  const { left } = await leaving(lab, async () => {
    const answers = await probeAll(by(lab, 'wwan0'));
    t.deepEqual([...new Set(Object.values(answers))], ['g1'], JSON.stringify(answers));
  });
  t.deepEqual(left, []);
});
