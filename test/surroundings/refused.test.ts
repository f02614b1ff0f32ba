import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { far } from '../helpers/topology.js';

const both = '10.0.2.1,fd02::1';
const families = [4, 6] as const;

/**
 * Routes by which main refuses part of the world. A program's first look-up is in main, before any rule sees a packet:
 * what fails there fails for a group as well, at once and with main's own error (ip-route(8)).
 */
const refusals = [
  { type: 'unreachable', error: 'EHOSTUNREACH' },
  { type: 'prohibit', error: 'EACCES' },
  { type: 'blackhole', error: 'EINVAL' },
];

/** The look-up goes on in the next table, and finds nothing there. */
const onward = { type: 'throw', error: 'ENETUNREACH' };

for (const { type, error } of [...refusals, onward])
  test.serial(`what main has a route of type ${type} for fails closed`, async (t) => {
    const lab = await makeLab(t);
    const captures = await Promise.all(
      ['c1', 'c2'].map((device) => sniff(lab, 'client', device, `dst host ${far.v4} or dst host ${far.v6}`)),
    );
    await lab.sh('client', `ip route add ${type} 203.0.113.0/24; ip -6 route add ${type} 2001:db8:113::/48`);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, both);
      for (const family of families)
        for (const kind of ['tcp', 'udp'] as const) {
          t.is((await probe(outside(lab), kind, family)).error, error);
          const seen = await probe(by(lab, both), kind, family, { timeout: 3 });
          t.is(seen.error, error, `${kind} v${family} ${seen.gateway}`);
          t.true(seen.ms < 500);
        }
      // The rest of the world goes by the gateway, as do the networks that are connected.
      for (const family of families) {
        const address = family === 4 ? '10.0.1.1' : 'fd01::1';
        t.is((await probe(by(lab, both), 'tcp', family, { address })).gateway, 'g1');
      }
      await lab.sh('client', `ip route del ${type} 203.0.113.0/24; ip -6 route del ${type} 2001:db8:113::/48`);
      for (const capture of captures) t.deepEqual(await capture.stop(), []);
      const answers = await probeAll(by(lab, both));
      t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
      await held.release();
      await lab.sh('client', `ip route add ${type} 203.0.113.0/24; ip -6 route add ${type} 2001:db8:113::/48`);
    });
    t.deepEqual(left, []);
  });

for (const { type, error } of refusals)
  test.serial(`a default route of type ${type} behind main's, and alone`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', `ip route add ${type} default metric 5000; ip -6 route add ${type} default metric 5000`);
    const { left } = await leaving(lab, async () => {
      const answers = await probeAll(by(lab, both));
      t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
    });
    t.deepEqual(left, []);
    // The line of main is down, and a kill switch is what remains.
    await lab.sh('client', 'ip route del default via 10.0.1.1; ip -6 route del default via fd01::1');
    for (const family of families)
      for (const kind of ['tcp', 'udp'] as const)
        t.is((await probe(by(lab, both), kind, family)).error, error, `${kind} v${family}`);
  });
