import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { until } from '../helpers/left.js';
import { outside, probeAll, type Asked } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { diff, snapshot } from '../helpers/snapshot.js';

/** Who answers over each family, or the error; with what makes the case and takes it away again. */
interface Row {
  gateway: string;
  v4: string;
  v6: string;
  before?: string;
  after?: string;
}

const rows: Row[] = [
  { gateway: '10.0.2.1', v4: 'g2', v6: 'ECONNREFUSED' },
  { gateway: '10.0.2.1%c2', v4: 'g2', v6: 'ECONNREFUSED' },
  { gateway: 'fe80::2:1%c2', v4: 'ECONNREFUSED', v6: 'g2' },
  { gateway: 'fd02::1', v4: 'ECONNREFUSED', v6: 'g2' },
  { gateway: 'fd02:0::0001%c2', v4: 'ECONNREFUSED', v6: 'g2' },
  { gateway: '10.0.2.1,fd02::1', v4: 'g2', v6: 'g2' },
  { gateway: 'fe80::2:1%c2,10.0.2.1', v4: 'g2', v6: 'g2' },
  { gateway: '10.0.2.1%c2,fe80::1:3%c1', v4: 'g2', v6: 'g3' },
  { gateway: '10.0.1.3,fd02::1', v4: 'g3', v6: 'g2' },
  { gateway: '10.0.1.1,fd01::1', v4: 'g1', v6: 'g1' },
  { gateway: 'tun0', v4: 'g4', v6: 'g4' },
  { gateway: '%tun0', v4: 'g4', v6: 'g4' },
  { gateway: '10.0.4.1', v4: 'g4', v6: 'ECONNREFUSED' },
  { gateway: 'c1', v4: 'g1', v6: 'g1' },
  {
    gateway: 'c2',
    v4: 'g2',
    v6: 'ECONNREFUSED',
    before: 'ip route add default via 10.0.2.1 dev c2 metric 600',
    after: 'ip route del default via 10.0.2.1 dev c2 metric 600',
  },
  {
    gateway: 'c2',
    v4: 'g2',
    v6: 'g2',
    before:
      'ip route add default via 10.0.2.1 dev c2 table 100; ip -6 route add default via fe80::2:1 dev c2 table 100',
    after: 'ip route flush table 100; ip -6 route flush table 100',
  },
  {
    gateway: '10.0.9.1', // Known to be on-link to another table only, as NetworkManager's `route-table` leaves it.
    v4: 'g2',
    v6: 'ECONNREFUSED',
    before:
      'ip route add 10.0.9.0/24 dev c2 scope link table 100; ip neigh add 10.0.9.1 lladdr 02:00:00:00:02:01 dev c2',
    after: 'ip route flush table 100; ip neigh del 10.0.9.1 dev c2',
  },
  ...['10.9.9.1', '10.9.9.1%c2', 'c2'].map((gateway) => ({
    gateway, // On no network, but some route says that it is on this link, as routes of rented machines do.
    v4: 'g2',
    v6: 'ECONNREFUSED',
    before: `ip route add default via 10.9.9.1 dev c2 onlink table 100
      ip neigh add 10.9.9.1 lladdr 02:00:00:00:02:01 dev c2`,
    after: 'ip route flush table 100; ip neigh del 10.9.9.1 dev c2',
  })),
  {
    gateway: 'fd09::1',
    v4: 'ECONNREFUSED',
    v6: 'g2',
    before: `ip -6 route add default via fd09::1 dev c2 onlink metric 2048
      ip neigh add fd09::1 lladdr 02:00:00:00:02:01 dev c2`,
    after: 'ip -6 route del default via fd09::1; ip neigh del fd09::1 dev c2',
  },
  {
    gateway: 'c2',
    v4: 'g2',
    v6: 'ECONNREFUSED',
    before: 'ip route replace default nexthop via 10.0.1.1 dev c1 weight 200 nexthop via 10.0.2.1 dev c2',
    after: 'ip route replace default via 10.0.1.1 dev c1',
  },
  {
    gateway: 'c2',
    v4: 'g2',
    v6: 'g2',
    before: `ip nexthop add id 7 via 10.0.2.1 dev c2; ip nexthop add id 8 via fe80::2:1 dev c2
      ip route add default nhid 7 metric 600; ip -6 route add default nhid 8 metric 2048`,
    after: 'ip nexthop flush',
  },
  { gateway: 'none', v4: 'g1', v6: 'g1' },
];

const tcp: Asked[] = [
  ['tcp', 4],
  ['tcp', 6],
];

test.serial('each kind of gateway', async (t) => {
  const lab = await makeLab(t, { tun: true });
  const clean = await snapshot(lab);
  for (const { gateway, before = '', after = '', ...expected } of rows) {
    await lab.sh('client', before);
    const seen = await probeAll(by(lab, gateway), tcp);
    t.deepEqual([seen['tcp v4'], seen['tcp v6']], [expected.v4, expected.v6], `${gateway} ${before}`);
    await lab.sh('client', after);
  }
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});

test.serial('two gateways on one subnet and device, and one on another, at once', async (t) => {
  const lab = await makeLab(t);
  const pairs = { g1: '10.0.1.1,fd01::1', g2: '10.0.2.1,fd02::1', g3: '10.0.1.3,fe80::1:3%c1' };
  const held = await Promise.all(Object.values(pairs).map((gateway) => hold(lab, gateway)));
  const asked = Object.entries(pairs).map(async ([name, gateway]) => {
    t.deepEqual(new Set(Object.values(await probeAll(by(lab, gateway)))), new Set([name]));
  });
  await Promise.all(asked);
  t.deepEqual(new Set(Object.values(await probeAll(outside(lab)))), new Set(['g1']));
  for (const one of held) t.is((await one.release()).code, 0);
  // The keeper's guard goes a moment after.
  await until('no table is left', async () => (await lab.sh('client', 'nft list tables')) === '');
});
