import test from 'ava';
import { askFrom, farBehind, ports, serveInside, serveOutside, unanswered } from '../helpers/clients.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client } from '../helpers/topology.js';

const pair = '10.0.2.1,fd02::1';
const { v4, v6 } = client.c2;
const drop = 'ip route del default; ip -6 route del default';

/** Where main knows a way that is the group's as well. */
const known = { v4: '198.51.100.2', v6: '2001:db8:51::2' };

/** Counts what a server outside answers there, by whether the connection's mark has bits of ours. */
const watch = `nft -f - <<'EOF'
  table inet watch {
    counter marked { }
    counter clean { }
    chain count { ct mark & 0xff000000 == 0 counter name clean accept; counter name marked; }
    chain last {
      type filter hook postrouting priority 400
      ip daddr ${known.v4} tcp sport ${ports.bystander} jump count
      ip6 daddr ${known.v6} tcp sport ${ports.bystander} jump count
    }
  }
EOF`;

test.serial(
  'main has no default route: a server in the group answers who comes by its gateway, and one outside whom it answered',
  async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', drop);
    await serveOutside(lab);
    const everybody = ['g1', 'g2', 'g3'] as const;
    const before = await askFrom(lab, everybody, ports.bystander);
    t.deepEqual(unanswered(before, 'bystander'), farBehind(...everybody));
    const { left } = await leaving(lab, async () => {
      const server = await serveInside(lab, [pair]);
      const stray = await sniff(lab, 'client', 'c1', `src host ${v4} or src host ${v6}`);
      t.deepEqual(unanswered(await askFrom(lab, everybody, ports.inside), 'inside'), farBehind('g1', 'g3'));
      t.deepEqual(unanswered(await askFrom(lab, everybody, ports.bystander), 'bystander'), farBehind(...everybody));
      t.deepEqual(await stray.stop(), []);
      server.kill('SIGINT');
      await server.done;
    });
    t.deepEqual(left, []);
    t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
  },
);

test.serial('and where main knows a way, the connection of a server outside is not touched', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', drop);
  await lab.sh('client', `ip route add ${known.v4} via 10.0.2.1; ip -6 route add ${known.v6} via fd02::1; ${watch}`);
  await lab.sh('g2', `ip address add ${known.v4}/32 dev lo; ip address add ${known.v6}/128 dev lo`);
  await serveOutside(lab);
  const held = await hold(lab, pair);
  for (const [v, family] of [
    ['v4', 4],
    ['v6', 6],
  ] as const) {
    const options = { address: client.c2[v], port: ports.bystander, local: known[v] };
    t.is((await probe(outside(lab, 'g2'), 'tcp', family, options)).gateway, 'bystander');
  }
  const counted = await lab.sh('client', 'nft list counters table inet watch');
  t.regex(counted, /counter marked {\s+packets 0 /);
  t.regex(counted, /counter clean {\s+packets [1-9]/);
  await held.release();
});
