import test from 'ava';
import { askFrom, ports, serveInside, unanswered } from '../helpers/clients.js';
import { withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { classic } from '../helpers/classic.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

/**
 * NetworkManager's `ipv4.route-table=200`: the connected network and the default route of c2 are in that table only, and
 * a rule (`ipv4.routing-rules`) leads what is sent from its address there.
 */
const routeTable = `
  ip route del 10.0.2.0/24 dev c2
  ip route add 10.0.2.0/24 dev c2 proto kernel scope link src 10.0.2.2 metric 101 table 200
  ip route add default via 10.0.2.1 dev c2 proto static metric 101 table 200
  ip rule add pref 31200 from 10.0.2.2 lookup 200
  ip -6 route del fd02::/64 dev c2
  ip -6 route add fd02::/64 dev c2 proto kernel metric 101 table 200
  ip -6 route add default via fd02::1 dev c2 proto static metric 101 table 200
  ip -6 rule add pref 31200 from fd02::2 lookup 200`;

const gateways = ['10.0.2.1,fd02::1', '10.0.2.1%c2,fd02::1%c2', '10.0.2.1%c2,fe80::2:1%c2', '%c2'];

async function makeTable(lab: Lab): Promise<void> {
  await lab.sh('client', routeTable);
}

if (withClassic())
  test.serial('the classic recipe finds no router that another table knows', async (t) => {
    const lab = await makeLab(t);
    await makeTable(lab);
    const { code, stderr } = await classic(lab, 'g2', ['true']);
    t.regex(stderr, /Nexthop has invalid gateway/);
    t.not(code, 0);
    const v6 = await lab.run('client', ['ip', '-6', 'route', 'add', 'default', 'via', 'fd02::1', 'table', '2']);
    t.not(v6.code, 0);
  });

for (const gateway of gateways)
  test.serial(`a router that is on-link in another table only, as ${gateway}`, async (t) => {
    const lab = await makeLab(t);
    await makeTable(lab);
    const capture = await sniff(lab, 'client', 'c1', `host ${far.v4} or host ${far.v6}`);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, gateway);
      const answers = await probeAll(by(lab, gateway));
      t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
      for (const family of [4, 6] as const) {
        const v = `v${family}` as const;
        t.is((await probe(by(lab, gateway), 'tcp', family)).source, client.c2[v]);
        // Whoever sends from c2's address goes by that table as ever; all others by main.
        t.is((await probe(outside(lab), 'udp', family, { local: client.c2[v] })).gateway, 'g2');
      }
      t.deepEqual(await capture.stop(), []);
      t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
      t.is((await probe(outside(lab), 'tcp', 6)).gateway, 'g1');
      await held.release();
    });
    t.deepEqual(left, []);
  });

for (const c2 of [0, 1] as const)
  test.serial(`a server in its group answers by it${c2 === 1 ? ', with a reverse path filter' : ''}`, async (t) => {
    const lab = await makeLab(t, { rpFilter: { c2 } });
    await makeTable(lab);
    const { left } = await leaving(lab, async () => {
      const server = await serveInside(lab, ['10.0.2.1,fd02::1']);
      t.deepEqual(unanswered(await askFrom(lab, ['g1', 'g2'], ports.inside), 'inside'), []);
      server.kill('SIGINT');
      await server.done;
    });
    t.deepEqual(left, []);
  });
