import test from 'ava';
import { askFrom, farBehind, ports, serveInside, serveOutside, unanswered } from '../helpers/clients.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeAll, probeCommand, type Seen } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

/** What makes room for a VRF's rule: the table of this machine's own addresses comes late. */
const moveDown = `
  ip rule add pref 32765 lookup local; ip rule del pref 0
  ip -6 rule add pref 32765 lookup local; ip -6 rule del pref 0`;

const moveUp = `
  ip rule add pref 0 lookup local; ip rule del pref 32765
  ip -6 rule add pref 0 lookup local; ip -6 rule del pref 32765`;

const both = '10.0.2.1,fd02::1';
const families = [4, 6] as const;
const all = ['127.0.0.1', '127.0.0.53', ...Object.values(client.c1), ...Object.values(client.c2), '::1'];
const own = all.filter((address) => !address.startsWith('fe80'));

async function makeMoved(t: Parameters<typeof makeLab>[0], options = {}): Promise<Lab> {
  const lab = await makeLab(t, options);
  await lab.sh('client', moveDown);
  return lab;
}

test.serial(
  'the local rule moved down: a group reaches what it reached, and the Internet by its gateway',
  async (t) => {
    const lab = await makeMoved(t);
    await serveOutside(lab, own);
    const capture = await sniff(lab, 'client', 'c1', `host ${far.v4} or host ${far.v6}`);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, both);
      const answers = await probeAll(by(lab, both));
      t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
      t.deepEqual(await capture.stop(), []);
      // The machine itself, by all its addresses, and its neighbours.
      const asked = own.flatMap((address) => (['tcp', 'udp'] as const).map((kind) => ({ kind, address, port: 8000 })));
      const lines = asked.map((one) => probeCommand(one.kind, one).join(' ')).join('\n');
      const { stdout } = await by(lab, both)(['sh', '-c', lines]);
      const seen = stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Seen).gateway);
      t.deepEqual(
        seen,
        asked.map(() => 'bystander'),
      );
      for (const [address, name] of [
        ['10.0.1.3', 'g3'],
        ['10.0.2.1', 'g2'],
        ['fd01::3', 'g3'],
        ['fd02::1', 'g2'],
      ] as const)
        for (const kind of ['tcp', 'udp'] as const)
          t.is((await probe(by(lab, both), kind, address.includes(':') ? 6 : 4, { address })).gateway, name, address);
      t.deepEqual([...new Set(Object.values(await probeAll(outside(lab))))], ['g1']);
      await held.release();
    });
    t.deepEqual(left, []);
  },
);

test.serial('the local rule moved down: servers, in the group and outside', async (t) => {
  const lab = await makeMoved(t);
  await serveOutside(lab);
  const before = await askFrom(lab, ['g1', 'g2', 'g3'], ports.bystander);
  const { left } = await leaving(lab, async () => {
    const server = await serveInside(lab, [both]);
    t.deepEqual(unanswered(await askFrom(lab, ['g1', 'g2', 'g3'], ports.inside), 'inside'), farBehind('g3'));
    t.deepEqual(await askFrom(lab, ['g1', 'g2', 'g3'], ports.bystander), before);
    // Its own neighbours in the same group, by the machine's own addresses.
    for (const family of families)
      for (const address of [client.c1[`v${family}`], client.c2[`v${family}`]])
        t.is((await probe(by(lab, both), 'tcp', family, { address })).gateway, 'inside', address);
    server.kill('SIGINT');
    await server.done;
  });
  t.deepEqual(left, []);
});

test.serial('the local rule moved down, and a reverse path filter', async (t) => {
  const lab = await makeMoved(t, { rpFilter: { c2: 1 } });
  const { left } = await leaving(lab, async () => {
    const answers = await probeAll(by(lab, both));
    t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
  });
  t.deepEqual(left, []);
});

test.serial('the local rule moved down, and up again, while a group is in use', async (t) => {
  const lab = await makeLab(t);
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, both);
    for (const script of [moveDown, moveUp]) {
      await lab.sh('client', script);
      const answers = await probeAll(by(lab, both));
      t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
    }
    await held.release();
  });
  t.deepEqual(left, []);
});
