import test from 'ava';
import { carry, size } from '../helpers/carry.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { outside } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';

const both = '10.0.2.1,fd02::1';
const families = [4, 6] as const;

/** A route's path MTU to the far address, where main has learned one. */
const learned = async (lab: Lab) => {
  const routes = await lab.sh('client', 'ip route show cache; ip -6 route show cache');
  return routes.split('\n').filter((line) => line.includes('mtu'));
};

/** Each end of the link knows its MTU; the other end says all the same that it takes what Ethernet takes. */
const mssOfEthernet = `ip route replace 10.0.2.0/24 dev eth0 src 10.0.2.1 advmss 1460
  ip -6 route replace fd02::/64 dev eth0 advmss 1440 metric 1`;

for (const mtu of [1280, 1400])
  test.serial(`an uplink with an MTU of ${mtu}: uploads and downloads fit`, async (t) => {
    const lab = await makeLab(t, { mtuB: mtu });
    await lab.sh('g2', mssOfEthernet);
    const held = await hold(lab, both);
    const syns = await sniff(lab, 'g2', 'eth0', 'tcp and src 10.0.2.2 or ip6 src fd02::2');
    for (const family of families) {
      const { said, ms } = await carry(by(lab, both), family);
      t.deepEqual(said, ['g2', `${size}`, `${size}`], `v${family}`);
      t.true(ms < 3000, `${ms} ms`);
    }
    const said = (await syns.stop()).flatMap((line) => /Flags \[S\].*mss (\d+)/.exec(line)?.[1] ?? []);
    t.deepEqual(said, [mtu - 40, mtu - 40, mtu - 60, mtu - 60].map(String));
    // Main's own path to the same host is as wide as it was.
    t.deepEqual(await learned(lab), []);
    for (const family of families) t.is((await carry(outside(lab), family)).said[0], 'g1');
    await held.release();
  });

test.serial('an uplink that drops without a word what is too big for its other end', async (t) => {
  const lab = await makeLab(t);
  // The client's end takes 1280 bytes and drops what is more; g2 knows nothing of it, and sends no bigger frames at once.
  await lab.sh('client', 'ip link set c2 mtu 1280');
  await lab.sh('g2', 'ip link set eth0 gso_max_segs 1');
  for (const family of families) {
    const { said, ms } = await carry(by(lab, both), family);
    t.deepEqual(said, ['g2', `${size}`, `${size}`], `v${family}`);
    t.true(ms < 3000, `${ms} ms`);
  }
});

test.serial('an uplink with a larger MTU than main', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'ip link set c1 mtu 1300');
  await lab.sh('g2', mssOfEthernet);
  for (const family of families) t.is((await carry(by(lab, both), family)).said[2], `${size}`);
  t.deepEqual(await learned(lab), []);
});

test.serial('an MTU that changes while the group is in use counts from the next launch', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('g2', mssOfEthernet);
  const held = await hold(lab, both);
  for (const mtu of [1300, 1400, 1500, 1350]) {
    await lab.sh('client', `ip link set c2 mtu ${mtu}`);
    await lab.sh('g2', `ip link set eth0 mtu ${mtu}`);
    for (const family of families) t.is((await carry(by(lab, both), family)).said[2], `${size}`, `${mtu}`);
    t.deepEqual(await learned(lab), [], `${mtu}`);
  }
  await held.release();
});
