import test from 'ava';
import { startDay, watched, WITHIN } from '../helpers/healing.js';
import { makeLab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { startMember } from '../helpers/member.js';
import { watchOthers } from '../closed/other-path.js';
import { far } from '../helpers/topology.js';

const both = '10.0.2.1,fd02::1';

test.serial('the addresses of the device change', async (t) => {
  const day = await startDay(t);
  const member = await startMember(day.lab, [both]);
  t.like(await member.ask('tcp'), { who: 'g2', source: '10.0.2.2' });
  // The kernel takes the routes along with the last address.
  await day.sh('ip address del 10.0.2.2/24 dev c2; ip address add 10.0.2.7/24 dev c2');
  await day.mended();
  t.like(await member.ask('tcp'), { who: 'g2', source: '10.0.2.7' });
  t.like(await member.ask('udp'), { who: 'g2', source: '10.0.2.7' });
  await day.sh('ip -6 address del fd02::2/64 dev c2; ip -6 address add fd02::7/64 dev c2');
  await day.mended();
  t.like(await member.ask('tcp', far.v6), { who: 'g2', source: 'fd02::7' });
  await member.end();
  await day.end();
});

for (const { v, on, off, address, neighbour } of [
  {
    v: 'v4',
    on: 'ip address add 10.0.9.2/24 dev c1',
    off: 'ip address del 10.0.9.2/24 dev c1',
    neighbour: 'ip address add 10.0.9.1/24 dev eth0',
    address: '10.0.9.1',
  },
  {
    v: 'v6',
    on: 'ip address add fd09::2/64 dev c1',
    off: 'ip address del fd09::2/64 dev c1',
    neighbour: 'ip address add fd09::1/64 dev eth0',
    address: 'fd09::1',
  },
])
  test.serial(`${v}: a network that the machine is connected to comes and goes`, async (t) => {
    const day = await startDay(t);
    await day.lab.sh('g1', neighbour);
    const member = await startMember(day.lab, [both]);
    const who = async () => (await member.ask('tcp', address, 0.3)).who;
    t.not(await who(), 'g1');
    await day.sh(on);
    await until('the neighbour answers', async () => (await who()) === 'g1', WITHIN);
    await day.sh(off);
    await until('it is as if it had never been there', async () => (await who()) !== 'g1', WITHIN);
    await day.mended();
    await day.whole();
    await member.end();
    await day.end();
  });

test.serial('%c1 follows the default route of c1: another router, and back', async (t) => {
  const lab = await makeLab(t);
  const member = await startMember(lab, ['%c1']);
  const asked = async () => [(await member.ask('tcp')).who, (await member.ask('udp', far.v6)).who].join(' ');
  t.is(await asked(), 'g1 g1');
  await watched(lab);
  for (const [router, name] of [
    [3, 'g3'],
    [1, 'g1'],
  ] as const) {
    await lab.sh(
      'client',
      `ip route replace default via 10.0.1.${router} dev c1
      ip -6 route del default; ip -6 route add default via fd01::${router} dev c1 metric 1024`,
    );
    await until(`${name} answers`, async () => (await asked()) === `${name} ${name}`, WITHIN);
    const capture = await watchOthers(lab, name);
    t.is(await asked(), `${name} ${name}`);
    t.deepEqual(await capture.stop(), []);
  }
  await member.end();
  await kept(lab);
});

const second = 'ip route add default via 10.0.2.1 dev c2 metric 200';

test.serial('%c2 follows the default route of c2, which is not the first of main', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('g2', 'ip address add 10.0.2.9/24 dev eth0');
  await lab.sh('client', second);
  const member = await startMember(lab, ['%c2']);
  t.is((await member.ask('tcp')).who, 'g2');
  await watched(lab);
  const capture = await watchOthers(lab, 'g2', 4);
  const table = () =>
    lab.sh('client', `ip -N route show table all proto 118 | sed -n 's/^default via \\([^ ]*\\) .*/\\1/p'`);
  t.is((await table()).trim(), '10.0.2.1');
  await lab.sh('client', `${second.replace('add', 'del')}; ${second.replace('10.0.2.1', '10.0.2.9')}`);
  await until('the other router is used', async () => (await table()).trim() === '10.0.2.9', WITHIN);
  await until('it answers', async () => (await member.ask('tcp', far.v4, 0.2)).who === 'g2', WITHIN);
  // No lease, no way.
  await lab.sh('client', 'ip route del default via 10.0.2.9 dev c2 metric 200');
  await until('it is closed', async () => (await member.ask('udp', far.v4, 0.2)).who !== 'g2', WITHIN);
  await lab.sh('client', second);
  await until('it is back', async () => (await member.ask('tcp', far.v4, 0.2)).who === 'g2', WITHIN);
  t.deepEqual(await capture.stop(), []);
  await member.end();
  await kept(lab);
});
