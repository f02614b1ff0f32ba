import test from 'ava';
import { inGroup, startSender, type Product } from '../closed/senders.js';
import { withClassic } from '../helpers/firewall.js';
import { askFrom, ports, serveInside, unanswered } from '../helpers/clients.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff, type Sniffer } from '../helpers/sniff.js';
import { far, gateways } from '../helpers/topology.js';
import { wgQuick } from './vpns.js';

const both = '10.0.2.1,fd02::1';

/** What goes into the tunnel, beside what bystanders send from port 4242. */
const watch = (lab: Lab, family = ''): Promise<Sniffer> =>
  sniff(lab, 'client', 'tun0', `${family} (dst host ${far.v4} or dst host ${far.v6}) and not port 4242`);

const isByTunnel = async (lab: Lab) => {
  const answers = [4, 6].map((family) => probe(outside(lab), 'udp', family as 4 | 6, { localPort: 4242 }));
  return (await Promise.all(answers)).every(({ gateway }) => gateway === 'g4');
};

for (const name of ['g1', 'g2', 'g3'] as const)
  test.serial(`wg-quick's rules are there: a group of ${name} goes by it`, async (t) => {
    const lab = await makeLab(t, { tun: true });
    await lab.sh('client', wgQuick.up);
    const capture = await watch(lab);
    const own = `${gateways[name].v4},${gateways[name].v6}`;
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, own);
      const answers = await probeAll(by(lab, own));
      t.deepEqual([...new Set(Object.values(answers))], [name], JSON.stringify(answers));
      t.true(await isByTunnel(lab));
      await held.release();
      const server = await serveInside(lab, [own]);
      t.deepEqual(unanswered(await askFrom(lab, [name], ports.inside), 'inside'), []);
      server.kill('SIGINT');
      await server.done;
    });
    t.deepEqual(left, []);
    t.deepEqual(await capture.stop(), []);
  });

test.serial("wg-quick's rules are there: by the tunnel itself", async (t) => {
  const lab = await makeLab(t, { tun: true });
  await lab.sh('client', wgQuick.up);
  const { left } = await leaving(lab, async () => {
    const answers = await probeAll(by(lab, 'tun0'));
    t.deepEqual([...new Set(Object.values(answers))], ['g4'], JSON.stringify(answers));
  });
  t.deepEqual(left, []);
});

/** Brings the tunnel up while a sender in the group runs; gives what it sent into the tunnel. */
async function during(lab: Lab, product: Product, family = ''): Promise<string[]> {
  const sender = await startSender(lab, (argv) => inGroup(product, 'g2', argv));
  await sender.rounds(5);
  const capture = await watch(lab, family);
  await lab.sh('client', wgQuick.up);
  const answers = await sender.rounds(20);
  if (product === 'via')
    for (const [kind, who] of answers) for (const one of who) if (one !== 'g2') throw new Error(`${kind} by ${one}`);
  const packets = await capture.stop();
  await sender.end();
  return packets;
}

test.serial("wg-quick's rules come while a group is in use: nothing of it takes the tunnel", async (t) => {
  const lab = await makeLab(t, { tun: true });
  const held = await hold(lab, both);
  t.deepEqual(await during(lab, 'via'), []);
  // They are ahead of the group's rule, which was the lowest there was and moves ahead of them.
  t.true(await isByTunnel(lab));
  const beside = await probeAll(by(lab, both));
  t.deepEqual([...new Set(Object.values(beside))], ['g2'], JSON.stringify(beside));
  await lab.sh('client', wgQuick.down);
  const open = await probeAll(by(lab, both));
  t.deepEqual([...new Set(Object.values(open))], ['g2'], JSON.stringify(open));
  await held.release();
});

test.serial('the next group is ahead of them', async (t) => {
  const lab = await makeLab(t, { tun: true });
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, both);
    await lab.sh('client', wgQuick.up);
    await held.release();
    const capture = await watch(lab);
    for (const [gateway, name] of [
      [both, 'g2'],
      ['10.0.1.3,fd01::3', 'g3'],
      ['10.0.1.1,fd01::1', 'g1'],
    ] as const) {
      const answers = await probeAll(by(lab, gateway));
      t.deepEqual([...new Set(Object.values(answers))], [name], JSON.stringify(answers));
    }
    t.true(await isByTunnel(lab));
    t.deepEqual(await capture.stop(), []);
    await lab.sh('client', wgQuick.down);
  });
  t.deepEqual(left, []);
});

if (withClassic())
  test.serial("wg-quick's rules come: the classic recipe takes the tunnel", async (t) => {
    const lab = await makeLab(t, { tun: true });
    t.not((await during(lab, 'classic', 'ip and')).length, 0);
  });
