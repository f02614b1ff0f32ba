import test from 'ava';
import { classic } from '../helpers/classic.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { outside, probe } from '../helpers/probes.js';
import { by } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

const both = '10.0.2.1,fd02::1';
const neighbours = [
  { family: 4, address: '10.0.1.1', name: 'g1', source: client.c1.v4 },
  { family: 4, address: '10.0.1.3', name: 'g3', source: client.c1.v4 },
  { family: 6, address: 'fd01::1', name: 'g1', source: client.c1.v6 },
  { family: 6, address: 'fe80::1:3%c1', name: 'g3', source: client.c1.link },
  { family: 4, address: '10.0.2.1', name: 'g2', source: client.c2.v4 },
  { family: 6, address: 'fd02::1', name: 'g2', source: client.c2.v6 },
] as const;

/** What g2 gets that is meant for somebody on A's LAN. */
const strays = (lab: Lab) => sniff(lab, 'g2', 'eth0', 'dst net 10.0.1.0/24 or dst net fd01::/64 or dst fe80::1:3');

test.serial('neighbours on every connected network are asked directly', async (t) => {
  const lab = await makeLab(t);
  const capture = await strays(lab);
  for (const { family, address, name, source } of neighbours)
    for (const kind of ['tcp', 'udp'] as const) {
      if (kind === 'udp' && address.startsWith('fe80')) continue; // The server has no UDP socket there.
      const seen = await probe(by(lab, both), kind, family, { address });
      t.like(seen, { gateway: name, source }, `${kind} ${address}: ${seen.error}`);
    }
  t.is((await probe(by(lab, both), 'ping', 4, { address: '10.0.1.1' })).gateway, 'g1');
  t.is((await probe(by(lab, both), 'ping', 6, { address: 'fd01::1' })).gateway, 'g1');
  // Also in the family that the gateway has no way for: it is the Internet that is refused.
  t.is((await probe(by(lab, '10.0.2.1'), 'tcp', 6, { address: 'fd01::1' })).gateway, 'g1');
  t.is((await probe(by(lab, 'fd02::1'), 'udp', 4, { address: '10.0.1.1' })).gateway, 'g1');
  t.deepEqual(await capture.stop(), []);
});

test.serial('the classic recipe takes the neighbours of other networks away', async (t) => {
  const lab = await makeLab(t);
  const capture = await strays(lab);
  const ask = { address: '10.0.1.1', timeout: 0.3 };
  t.is((await probe((argv) => classic(lab, 'g2', argv), 'udp', 4, ask)).error, 'ETIMEDOUT');
  t.not((await capture.stop()).length, 0);
});

test.serial('--no-lan sends everything to the gateway', async (t) => {
  const lab = await makeLab(t);
  for (const { family, address } of neighbours.filter(({ address }) => !address.startsWith('fe80'))) {
    const capture = await sniff(lab, 'g2', 'eth0', `not arp and dst ${address}`);
    const direct = await sniff(lab, 'client', 'c1', `dst ${address} and port 7000`);
    const seen = await probe(by(lab, '--no-lan', both), 'udp', family, { address, timeout: 0.3 });
    const isB = address === '10.0.2.1' || address === 'fd02::1';
    t.is(seen.gateway, isB ? 'g2' : null, address);
    const packets = await capture.stop();
    t.true(packets.length > 0, address);
    const own = family === 4 ? client.c2.v4 : client.c2.v6;
    for (const packet of packets) t.true(packet.includes(` ${own}.`), packet);
    t.deepEqual(await direct.stop(), []);
  }
  t.is((await probe(by(lab, '--no-lan', both), 'tcp', 4)).gateway, 'g2');
  t.is((await probe(outside(lab), 'udp', 4, { address: '10.0.1.1' })).gateway, 'g1');
  // Not even to a neighbour in a family without a way.
  t.is((await probe(by(lab, '--no-lan', '10.0.2.1'), 'tcp', 6, { address: 'fd01::1' })).error, 'ECONNREFUSED');
});

/**
 * Routes that others make, none of which may be taken for a connected network; and who answers main then. Asked for as
 * a neighbour, the far address is known to both routers of A's LAN.
 */
const surroundings = [
  {
    name: 'halves of the Internet, as OpenVPN adds them',
    script: 'for net in 0.0.0.0/1 128.0.0.0/1; do ip route add $net via 10.0.1.3; done',
    outside: 'g3',
  },
  {
    name: 'the same by a device alone',
    script: 'for net in 0.0.0.0/1 128.0.0.0/1; do ip route add $net dev tun0 scope link; done',
    outside: 'g4',
  },
  {
    name: 'halves said to be connected',
    script: 'for net in 0.0.0.0/1 128.0.0.0/1; do ip route add $net dev c1 scope link proto kernel; done',
    outside: 'g1 g3',
  },
  {
    name: 'a default route without a next hop',
    script: 'ip route replace default dev c1 scope link',
    outside: 'g1 g3',
  },
  { name: 'one of a modem', script: 'ip route replace default dev tun0 scope link', outside: 'g4' },
  {
    name: 'one that the kernel is said to have made',
    script: 'ip route del default; ip route add default dev c1 proto kernel scope link',
    outside: 'g1 g3',
  },
  { name: 'a static route', script: `ip route add ${far.v4} via 10.0.1.3`, outside: 'g3' },
];

test.serial('a route that is more than a connected network does not keep the group from its gateway', async (t) => {
  const lab = await makeLab(t, { tun: true });
  const clean = await lab.sh('client', 'ip route save >/run/routes; ip route');
  for (const row of surroundings) {
    await lab.sh('client', row.script);
    t.true(row.outside.includes(`${(await probe(outside(lab), 'tcp', 4)).gateway}`), row.name);
    t.like(await probe(by(lab, '10.0.2.1'), 'tcp', 4), { gateway: 'g2', source: client.c2.v4 }, row.name);
    t.is((await probe(by(lab, '10.0.2.1'), 'tcp', 4, { address: '10.0.1.1' })).gateway, 'g1', row.name);
    await lab.sh('client', 'ip route flush table main; ip route restore </run/routes');
    t.is(await lab.sh('client', 'ip route'), clean, row.name);
  }
});
