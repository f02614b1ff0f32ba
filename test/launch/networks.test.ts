import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { outside, probe } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';

const both = '10.0.2.1,fd02::1';
const neighbours = { '10.0.1.1': 'g1', '10.0.1.3': 'g3', '10.0.2.1': 'g2', 'fd01::1': 'g1', 'fd02::1': 'g2' };

test.serial('networks within each other', async (t) => {
  const lab = await makeLab(t);
  // On one device; and on another one, wider than B's own.
  await lab.sh('client', 'ip address add 10.0.0.9/16 dev c1; ip -6 address add fd01:0:0:0:1::9/48 dev c1');
  await lab.sh('client', 'ip address add 10.0.1.9/25 dev c1; ip address add 10.0.2.3/32 dev c2');
  for (const [address, name] of Object.entries(neighbours)) {
    const seen = await probe(by(lab, both), 'tcp', address.includes(':') ? 6 : 4, { address });
    t.is(seen.gateway, name, `${address}: ${seen.error}`);
  }
  for (const family of [4, 6] as const) t.is((await probe(by(lab, both), 'tcp', family)).gateway, 'g2');
});

test.serial('a network that becomes another while the group is in use', async (t) => {
  const lab = await makeLab(t);
  const held = await hold(lab, both);
  const ask = () => probe(by(lab, both), 'tcp', 4, { address: '10.0.1.1' });
  t.is((await ask()).gateway, 'g1');
  for (const script of [
    'ip address add 10.0.0.9/16 dev c1', // The wider one, which has the other in it;
    'ip address del 10.0.0.9/16 dev c1', // and back again.
    'ip address add 10.0.1.9/25 dev c1; ip address del 10.0.1.2/24 dev c1; ip route replace default via 10.0.1.1',
  ]) {
    await lab.sh('client', script);
    const seen = await ask();
    t.is(seen.gateway, 'g1', `${script}: ${seen.error}`);
    t.is((await probe(by(lab, both), 'tcp', 4)).gateway, 'g2', script);
  }
  await held.release();
});

test.serial('one network on two devices: the one that main takes first', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'ip address add 10.0.1.7/24 dev c2; ip -6 address add fd01::7/64 dev c2');
  await lab.sh('g2', 'ip address add 10.0.1.1/24 dev eth0; ip -6 address add fd01::1/64 dev eth0');
  const asMain = async (name: string) => {
    for (const family of [4, 6] as const) {
      const address = family === 4 ? '10.0.1.1' : 'fd01::1';
      const main = await probe(outside(lab), 'tcp', family, { address });
      t.is(main.gateway, name);
      const seen = await probe(by(lab, both), 'tcp', family, { address });
      t.like(seen, { gateway: main.gateway, source: main.source }, seen.error ?? '');
    }
  };
  await asMain('g1');
  // As NetworkManager does it, where c1 is the slower one.
  const metric = (device: string, value: number) => `
    ip route replace 10.0.1.0/24 dev ${device} proto kernel scope link src ${device === 'c1' ? '10.0.1.2' : '10.0.1.7'} metric ${value}
    ip -6 route replace fd01::/64 dev ${device} proto kernel metric ${value}`;
  await lab.sh('client', 'for c in c1 c2; do ip route del 10.0.1.0/24 dev $c; ip -6 route del fd01::/64 dev $c; done');
  await lab.sh('client', metric('c1', 600) + metric('c2', 100));
  await asMain('g2');
});
