import test from 'ava';
import { carry, size } from '../helpers/carry.js';
import { classic } from '../helpers/classic.js';
import { withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

const families = [4, 6] as const;
const both = '10.0.2.1,fd02::1';

/** A tunnel that takes less at once; what its far end says of itself is as wide as Ethernet. */
const narrow = async (lab: Lab, mtu: number): Promise<void> => {
  await lab.sh('client', `ip link set tun0 mtu ${mtu}`);
  await lab.sh(
    'g4',
    `ip link set tun0 mtu ${mtu}
    ip route replace 10.0.4.2 dev tun0 advmss 1460; ip -6 route replace fd04::2 dev tun0 advmss 1440 metric 1`,
  );
};

for (const mtu of [1280, 1400])
  test.serial(`a tunnel with an MTU of ${mtu} as the gateway: uploads and downloads fit`, async (t) => {
    const lab = await makeLab(t, { tun: true });
    await narrow(lab, mtu);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, 'tun0');
      const syns = await sniff(lab, 'g4', 'tun0', 'tcp and src 10.0.4.2 or ip6 src fd04::2');
      for (const family of families) {
        const { said, ms } = await carry(by(lab, 'tun0'), family);
        t.deepEqual(said, ['g4', `${size}`, `${size}`], `v${family}`);
        t.true(ms < 3000, `${ms} ms`);
      }
      const said = (await syns.stop()).flatMap((line) => /Flags \[S\].*mss (\d+)/.exec(line)?.[1] ?? []);
      t.deepEqual(said, [mtu - 40, mtu - 40, mtu - 60, mtu - 60].map(String));
      for (const family of families) t.is((await carry(outside(lab), family)).said[0], 'g1');
      await held.release();
    });
    t.deepEqual(left, []);
  });

/** What moves c2's addresses to another device. */
const move = (device: string): string => `
  ip address flush dev c2
  ip address add 10.0.2.2/24 dev ${device}
  ip -6 address add fd02::2/64 dev ${device} nodad; ip -6 address add fe80::2:2/64 dev ${device} nodad`;

const bridge = `ip link add br0 type bridge mcast_snooping 0
  ip link set c2 master br0; ip link set br0 up; ${move('br0')}`;

// c2 would answer ARP for the address of the device on it, and what comes in would come in there.
const macvlan = `ip link add mv0 link c2 type macvlan mode bridge; ip link set mv0 up
  echo 1 >/proc/sys/net/ipv4/conf/c2/arp_ignore; ${move('mv0')}`;

const devices = [
  { device: 'br0', name: 'a bridge that holds c2', script: bridge },
  { device: 'mv0', name: 'a macvlan on c2', script: macvlan },
];

for (const { device, name, script } of devices) {
  test.serial(`${name} as the uplink`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', script);
    const stray = await sniff(lab, 'client', 'c1', `dst host ${far.v4} or dst host ${far.v6}`);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, both);
      for (const gateway of [both, `10.0.2.1%${device},fe80::2:1%${device}`]) {
        const answers = await probeAll(by(lab, gateway));
        t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
      }
      for (const family of families) {
        t.is((await probe(by(lab, both), 'udp', family)).source, client.c2[`v${family}`]);
        t.is((await carry(by(lab, both), family)).said[2], `${size}`);
      }
      t.deepEqual(await stray.stop(), []);
      t.deepEqual([...new Set(Object.values(await probeAll(outside(lab))))], ['g1']);
      await held.release();
    });
    t.deepEqual(left, []);
  });

  test.serial(`${name} as the uplink, with a reverse path filter and a small MTU`, async (t) => {
    const lab = await makeLab(t, { mtuB: 1300 });
    await lab.sh('client', script);
    await lab.sh('client', `echo 1 >/proc/sys/net/ipv4/conf/${device}/rp_filter; ip link set ${device} mtu 1300`);
    await lab.sh('g2', 'ip route replace 10.0.2.0/24 dev eth0 src 10.0.2.1 advmss 1460');
    const { left } = await leaving(lab, async () => {
      for (const family of families) {
        const { said, ms } = await carry(by(lab, both), family);
        t.deepEqual(said, ['g2', `${size}`, `${size}`], `v${family}`);
        t.true(ms < 3000, `${ms} ms`);
      }
    });
    t.deepEqual(left, []);
  });
}

test.serial('a macvlan beside the device that it is on, on one network: the device has to be named', async (t) => {
  const lab = await makeLab(t);
  await lab.sh(
    'client',
    `ip link add mv0 link c2 type macvlan mode bridge; ip link set mv0 up
    for device in c2 mv0; do echo 1 >/proc/sys/net/ipv4/conf/$device/arp_ignore; done
    ip address add 10.0.2.3/24 dev mv0; ip -6 address add fd02::3/64 dev mv0 nodad`,
  );
  const { left } = await leaving(lab, async () => {
    t.regex((await lab.via(['10.0.2.1', '--', 'true'])).stderr, /on-link on c2 and mv0 \(say which/);
    for (const [device, v4, v6] of [
      ['mv0', '10.0.2.3', 'fd02::3'],
      ['c2', client.c2.v4, client.c2.v6],
    ] as const)
      for (const family of families) {
        const seen = await probe(by(lab, `10.0.2.1%${device},fd02::1%${device}`), 'tcp', family);
        t.like(seen, { gateway: 'g2', source: family === 4 ? v4 : v6 }, `${device} ${seen.error}`);
      }
  });
  t.deepEqual(left, []);
});

if (withClassic())
  test.serial('the classic recipe sends IPv6 by main, whatever the uplink is', async (t) => {
    const lab = await makeLab(t, { tun: true });
    await narrow(lab, 1280);
    const capture = await sniff(lab, 'client', 'c1', `dst host ${far.v6}`);
    t.is((await probe((argv) => classic(lab, 'g4', argv), 'tcp', 6)).gateway, 'g1');
    t.not((await capture.stop()).length, 0);
  });
