import test from 'ava';
import { bothOf } from '../closed/senders.js';
import { keepApart } from '../helpers/behind.js';
import {
  all,
  askAgain,
  askFrom,
  end,
  farBehind,
  keep,
  ports,
  serveInside,
  serveOutside,
  unanswered,
} from '../helpers/clients.js';
import { makeLab } from '../helpers/lab.js';
import { hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { gateways } from '../helpers/topology.js';

/** The ports from which those behind it ask. */
const ranges = { g2: '30000-39999', g3: '40000-49999' };

for (const [name, other] of [
  ['g2', 'g3'],
  ['g3', 'g2'],
] as const)
  test.serial(`main's second choice is ${name}: a server in its group answers those who came by it`, async (t) => {
    const lab = await makeLab(t);
    await keepApart(lab);
    const { v4, v6 } = gateways[name];
    await lab.sh(
      'client',
      `ip route add default via ${v4} metric 600; ip -6 route add default via ${v6} metric 2000
      ip neigh flush dev c1; ip -6 neigh flush dev c1`,
    );
    const server = await serveInside(lab, [bothOf(name)]);
    const capture = await sniff(lab, 'g1', 'eth0', `src port ${ports.inside} and dst portrange ${ranges[name]}`);
    t.deepEqual(unanswered(await askFrom(lab, ['g1', 'g2', 'g3'], ports.inside), 'inside'), farBehind(other));
    t.deepEqual(await capture.stop(), []);
    await end(server);
  });

/** Most of it by g1. */
const byTurns = (name: keyof typeof ranges): string => {
  const both = (v: 'v4' | 'v6') => `nexthop via ${gateways.g1[v]} weight 255 nexthop via ${gateways[name][v]} weight 1`;
  return `ip route del default; ip -6 route del default
    ip route add default ${both('v4')}; ip -6 route add default ${both('v6')}
    ip neigh flush dev c1; ip -6 neigh flush dev c1`;
};

for (const name of ['g2', 'g3'] as const)
  test.serial(
    `main goes by g1 and ${name} by turns: a server in a group answers by the one it was asked by`,
    async (t) => {
      const lab = await makeLab(t);
      await keepApart(lab);
      await lab.sh('client', byTurns(name));
      const server = await serveInside(lab, [bothOf(name)]);
      const capture = await sniff(lab, 'g1', 'eth0', `src port ${ports.inside} and dst portrange ${ranges[name]}`);
      t.deepEqual(unanswered(await askFrom(lab, [name], ports.inside), 'inside'), []);
      const held = await hold(lab, bothOf('g1'));
      t.deepEqual(unanswered(await askFrom(lab, ['g1', name], ports.inside), 'inside'), []);
      t.deepEqual(await capture.stop(), []);
      await held.release();
      await end(server);
    },
  );

for (const [name, script] of [
  ['', ':'],
  [
    ', and somebody has a rule for a table of his own',
    'ip rule add pref 5270 lookup 52; ip -6 rule add pref 5270 lookup 52',
  ],
] as const)
  test.serial(`the link of main's router was down: what is no member's is answered as before${name}`, async (t) => {
    const lab = await makeLab(t);
    await keepApart(lab);
    await lab.sh('client', script);
    await serveOutside(lab);
    const closed = 6001;
    const asked = (port: number) => askFrom(lab, ['g1', 'g2'], port);
    const before = [await asked(ports.bystander), await asked(closed)];
    t.regex(Object.values(before[1] ?? {}).join(), /ECONNREFUSED/);
    const held = [await hold(lab, bothOf('g1')), await hold(lab, bothOf('g3'))];
    await lab.sh(
      'client',
      `ip link set c1 down; ip link set c1 up; ip -6 address add fd01::2/64 dev c1; ip -6 address add fe80::1:2/64 dev c1
      ip route add default via 10.0.1.1 dev c1; ip -6 route add default via fd01::1 dev c1`,
    );
    t.deepEqual([await asked(ports.bystander), await asked(closed)], before);
    for (const one of held) await one.release();
  });

test.serial("the group of main's router ends before that of a server: it goes on answering", async (t) => {
  const lab = await makeLab(t);
  await keepApart(lab);
  const held = await hold(lab, bothOf('g1'));
  const server = await serveInside(lab, [bothOf('g2')]);
  const [answered, asked] = [keep(lab, 'g1', ports.inside), keep(lab, 'g1', ports.inside)];
  t.deepEqual(await askAgain(answered), all('inside'));
  await held.release();
  t.deepEqual(await askAgain(answered), all('inside'));
  t.deepEqual(await askAgain(asked), all('inside'));
  const again = await hold(lab, bothOf('g1'));
  t.deepEqual(await askAgain(answered), all('inside'));
  await end(answered, asked, server);
  await again.release();
});
