import test from 'ava';
import { classic } from '../helpers/classic.js';
import { askFrom, ports, serveInside, unanswered } from '../helpers/clients.js';
import { withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff, type Sniffer } from '../helpers/sniff.js';
import { client, far, gateways } from '../helpers/topology.js';
import { halves } from './vpns.js';

const families = [4, 6] as const;

async function makeVpn(t: Parameters<typeof makeLab>[0]): Promise<Lab> {
  const lab = await makeLab(t, { tun: true });
  await lab.sh('client', halves.up);
  return lab;
}

/** What goes into the tunnel, and is not by a program outside: their local port is another. */
const watch = (lab: Lab): Promise<Sniffer> =>
  sniff(lab, 'client', 'tun0', `(dst host ${far.v4} or dst host ${far.v6}) and not port 4242`);

for (const name of ['g1', 'g2', 'g3'] as const)
  test.serial(`a VPN's halves of the Internet in main: by ${name} around it`, async (t) => {
    const lab = await makeVpn(t);
    const { device, v4, v6 } = gateways[name];
    const both = `${v4},${v6}`;
    const capture = await watch(lab);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, both);
      for (const gateway of [both, `${v4}%${device},${v6}%${device}`]) {
        const answers = await probeAll(by(lab, gateway));
        t.deepEqual([...new Set(Object.values(answers))], [name], JSON.stringify(answers));
      }
      for (const family of families) {
        const v = `v${family}` as const;
        t.is((await probe(by(lab, both), 'udp', family)).source, client[device][v]);
        const main = await probe(outside(lab), 'udp', family, { localPort: 4242 });
        t.like(main, { gateway: 'g4', source: client.tun0[v] });
      }
      await held.release();
    });
    t.deepEqual(left, []);
    t.deepEqual(await capture.stop(), []);
  });

test.serial('and by the VPN itself', async (t) => {
  const lab = await makeVpn(t);
  const { left } = await leaving(lab, async () => {
    for (const gateway of ['tun0', '10.0.4.1,fd04::1']) {
      const answers = await probeAll(by(lab, gateway));
      t.deepEqual([...new Set(Object.values(answers))], ['g4'], JSON.stringify(answers));
    }
  });
  t.deepEqual(left, []);
});

if (withClassic())
  test.serial('the classic recipe sends IPv6 by the VPN', async (t) => {
    const lab = await makeVpn(t);
    const capture = await watch(lab);
    t.is((await probe((argv) => classic(lab, 'g3', argv), 'tcp', 6)).gateway, 'g4');
    t.not((await capture.stop()).length, 0);
  });

for (const name of ['g1', 'g2', 'g3'] as const)
  test.serial(`a server in the group of ${name} answers around the VPN`, async (t) => {
    const lab = await makeVpn(t);
    const capture = await watch(lab);
    const { left } = await leaving(lab, async () => {
      const server = await serveInside(lab, [`${gateways[name].v4},${gateways[name].v6}`]);
      t.deepEqual(unanswered(await askFrom(lab, [name], ports.inside), 'inside'), []);
      server.kill('SIGINT');
      await server.done;
    });
    t.deepEqual(left, []);
    t.deepEqual(await capture.stop(), []);
  });

test.serial(
  "a VPN that comes up beside a server in the group of main's own router: the next launch sees it",
  async (t) => {
    const lab = await makeLab(t, { tun: true });
    const own = `${gateways.g1.v4},${gateways.g1.v6}`;
    const server = await serveInside(lab, [own]);
    t.deepEqual(unanswered(await askFrom(lab, ['g1'], ports.inside), 'inside'), []);
    await lab.sh('client', halves.up);
    t.is((await lab.via([own, '--', 'true'])).stderr, '');
    const capture = await watch(lab);
    t.deepEqual(unanswered(await askFrom(lab, ['g1'], ports.inside), 'inside'), []);
    t.deepEqual(await capture.stop(), []);
    server.kill('SIGINT');
    await server.done;
  },
);
