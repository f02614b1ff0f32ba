import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { outside, probe } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import { client, far, type TopologyOptions } from '../helpers/topology.js';

const settings: NonNullable<TopologyOptions['rpFilter']>[] = [
  { c2: 1 },
  { c2: 2 },
  { all: 1 },
  { all: 2 },
  { all: 2, c2: 1 },
];

/** Main's way is for one user only: nothing that comes in finds a route to its source, which is what `loose` asks. */
const noRouteBack = `ip route add default via 10.0.1.1 table 200; ip route del default
  ip route add unreachable default
  ip rule add pref 30000 uidrange 65534-65534 lookup 200`;
const user = ['setpriv', '--reuid=65534', '--inh-caps=+net_raw', '--ambient-caps=+net_raw'];

const valueOf = async (lab: Lab, device: string) =>
  (await lab.sh('client', `cat /proc/sys/net/ipv4/conf/${device}/src_valid_mark`)).trim();

for (const rpFilter of settings)
  test.serial(`rp_filter ${JSON.stringify(rpFilter)}`, async (t) => {
    const lab = await makeLab(t, { rpFilter });
    const loose = Math.max(...Object.values(rpFilter)) === 2;
    if (loose) await lab.sh('client', noRouteBack);
    const clean = await snapshot(lab);
    for (const kind of ['tcp', 'udp', 'ping'] as const) {
      const seen = await probe((argv) => lab.via(['10.0.2.1', ...user, ...argv]), kind, 4);
      t.is(seen.gateway, 'g2', `${kind}: ${seen.error}`);
      if (kind !== 'ping') t.is(seen.source, client.c2.v4);
    }
    // That value is what it takes: without it the answers are dropped.
    const ask = ['sh', '-c', `$0 $* curl -s -m0.5 ${far.v4}`, ...user];
    t.regex((await lab.via(['10.0.2.1', ...ask])).stdout, /^g2 /);
    t.is(
      (await lab.via(['10.0.2.1', ...ask.with(2, `echo 0 >/proc/sys/net/ipv4/conf/c2/src_valid_mark; ${ask[2]}`)]))
        .code,
      28,
    );
    if (!loose) t.is((await probe(by(lab, '10.0.1.3'), 'tcp', 4)).gateway, 'g3');
    if (!loose) t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
    t.deepEqual(diff(clean, await snapshot(lab)), []);
  });

test.serial('src_valid_mark is put back by the last group of its device', async (t) => {
  const lab = await makeLab(t, { rpFilter: { c2: 1 } });
  const clean = await snapshot(lab);
  const first = await hold(lab, '10.0.2.1');
  t.is(await valueOf(lab, 'c2'), '1');
  const second = await hold(lab, '--no-lan', '10.0.2.1');
  const third = await hold(lab, '10.0.1.3');
  t.deepEqual([await valueOf(lab, 'c1'), await valueOf(lab, 'all')], ['0', '0']);
  t.is((await first.release()).code, 0);
  t.is(await valueOf(lab, 'c2'), '1');
  t.is((await probe(by(lab, '--no-lan', '10.0.2.1'), 'tcp', 4)).gateway, 'g2');
  t.is((await second.release()).code, 0);
  t.is(await valueOf(lab, 'c2'), '0');
  t.is((await third.release()).code, 0);
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});

test.serial('of a device that gets another name meanwhile it stays as it is, as CAVEATS says', async (t) => {
  const lab = await makeLab(t, { rpFilter: { c2: 1 }, servers: false });
  const held = await hold(lab, '10.0.2.1');
  await lab.sh('client', 'ip link set c2 down; ip link set c2 name wan0; ip link set wan0 up');
  const { code, stderr } = await held.release();
  t.deepEqual([code, stderr, await valueOf(lab, 'wan0')], [0, '', '1']);
  t.notRegex(await lab.sh('client', 'ls /run'), /via/);
});

test.serial('src_valid_mark is not touched where it is right already, or of no use', async (t) => {
  const lab = await makeLab(t);
  const cases = [
    { name: 'no filter', script: 'true', during: '0' },
    { name: 'no filter, set by somebody', script: 'echo 1 >c2/src_valid_mark', during: '1' },
    { name: 'filter, set by somebody', script: 'echo 1 >c2/src_valid_mark; echo 1 >c2/rp_filter', during: '1' },
    {
      name: 'filter, set for all',
      script: 'echo 0 >c2/src_valid_mark; echo 1 >all/src_valid_mark; echo 1 >c2/rp_filter',
      during: '0',
    },
    {
      name: 'another device is filtered',
      script: 'echo 0 >all/src_valid_mark; echo 0 >c2/rp_filter; echo 1 >c1/rp_filter',
      during: '0',
    },
  ];
  for (const { name, script, during } of cases) {
    await lab.sh('client', `cd /proc/sys/net/ipv4/conf; ${script}`);
    const clean = await snapshot(lab);
    const held = await hold(lab, '10.0.2.1');
    t.is(await valueOf(lab, 'c2'), during, name);
    t.is(await lab.sh('client', 'find /run/via -name "sysctl-*"'), '', name);
    t.is((await probe(by(lab, '10.0.2.1'), 'tcp', 4)).gateway, 'g2', name);
    await held.release();
    t.deepEqual(diff(clean, await snapshot(lab)), [], name);
  }
});
