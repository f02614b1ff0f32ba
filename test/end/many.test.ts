import test from 'ava';
import { classic } from '../helpers/classic.js';
import { makeLab } from '../helpers/lab.js';
import { leaving, quiet } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { outside, probe, probeCommand, readProbe } from '../helpers/probes.js';
import { far, gateways } from '../helpers/topology.js';

const thirty = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? ('g2' as const) : ('g3' as const)));

test.serial('30 launches at once over two gateways: each by its own, nothing left', async (t) => {
  const lab = await makeLab(t, { rpFilter: { c2: 1 } });
  for (const kind of ['tcp', 'udp'] as const) {
    const { left } = await leaving(lab, async () => {
      const argv = probeCommand(kind, { address: far.v4, timeout: 5 });
      const results = await Promise.all(thirty.map((name) => lab.via([gateways[name].v4, '--', ...argv])));
      for (const result of results) t.deepEqual([result.code, result.stderr], [0, '']);
      t.deepEqual(
        results.map((result) => readProbe(result).gateway),
        thirty,
      );
    });
    t.deepEqual(left, []);
  }
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
});

test.serial('the same where some are killed: nothing is left after the next via', async (t) => {
  const lab = await makeLab(t);
  const { left } = await leaving(lab, async () => {
    const argv = probeCommand('tcp', { address: far.v4, timeout: 5 });
    const running = thirty.map((name) => lab.start('client', [viaBin, gateways[name].v4, '--', ...argv]));
    const results = await Promise.all(
      running.map(async (one, i) => {
        if (i % 3 === 0) setTimeout(() => one.kill('SIGKILL'), 60 * i);
        const { signal, stdout, stderr } = await one.done;
        if (signal === null) t.is(stderr, '');
        return stdout === '' ? undefined : (JSON.parse(stdout) as { gateway: string }).gateway;
      }),
    );
    for (const [i, gateway] of results.entries()) if (gateway !== undefined) t.true(gateway === thirty[i]);
    t.true(results.filter((gateway) => gateway !== undefined).length >= 20);
    await quiet(lab);
    t.is((await lab.via(['sweep'])).stderr, '');
  });
  t.deepEqual(left, []);
});

test.serial('the classic recipe leaves its groups, rules and routes', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, () => Promise.all([classic(lab, 'g2', ['true']), classic(lab, 'g3', ['true'])]));
  t.not(left.length, 0);
});
