import test from 'ava';
import { askFrom, farBehind, own, ports, serveInside, serveOutside, unanswered } from '../helpers/clients.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { sniff } from '../helpers/sniff.js';
import { client } from '../helpers/topology.js';

const everybody = ['g1', 'g2', 'g3'] as const;
const none = 'ip route del default; ip -6 route del default';

/** Main's default routes, of which it uses the one by g1; where it is for both, newer kernels look at the source (IPv4). */
const defaults = {
  'one behind the other, as NetworkManager makes them': `${none}
    ip route add default via 10.0.1.1 dev c1 proto dhcp metric 100
    ip route add default via 10.0.2.1 dev c2 proto dhcp metric 101
    ip -6 route add default via fd01::1 dev c1 proto ra metric 100
    ip -6 route add default via fd02::1 dev c2 proto ra metric 101 pref high`,
  'one behind one that has no metric': `
    ip route add default via 10.0.2.1 dev c2 metric 700
    ip -6 route add default via fd02::1 dev c2 metric 2000`,
  'one for both routers, most of it by the first': `${none}
    ip route add default nexthop via 10.0.1.1 dev c1 weight 255 nexthop via 10.0.2.1 dev c2 weight 1
    ip -6 route add default nexthop via fd01::1 dev c1 weight 255 nexthop via fd02::1 dev c2 weight 1`,
};

/** What the server in the group answers with an address of this device. */
const strayOf = (device: 'c2' | 'tun0'): string =>
  `(src host ${client[device].v4} or src host ${client[device].v6}) and src port ${ports.inside}`;

for (const [name, script] of Object.entries(defaults))
  test.serial(`a server in the group of a router of main's second default route: ${name}`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', script);
    await serveOutside(lab);
    const before = await askFrom(lab, everybody, ports.bystander);
    const silent = unanswered(before, 'bystander');
    for (const who of farBehind('g2')) t.true(silent.includes(who) || /both.*v4/.test(name + who), who);
    const { left } = await leaving(lab, async () => {
      const server = await serveInside(lab, ['10.0.2.1,fd02::1']);
      const stray = await sniff(lab, 'client', 'c1', strayOf('c2'));
      t.deepEqual(unanswered(await askFrom(lab, everybody, ports.inside), 'inside'), farBehind('g3'));
      t.deepEqual(await stray.stop(), []);
      t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
      server.kill('SIGINT');
      await server.done;
    });
    t.deepEqual(left, []);
  });

test.serial("a server in the group of a tunnel that has main's second default route", async (t) => {
  const lab = await makeLab(t, { tun: true });
  await lab.sh('client', 'ip route add default dev tun0 metric 700; ip -6 route add default dev tun0 metric 2000');
  await serveOutside(lab, [...own, client.tun0.v4, client.tun0.v6]);
  const before = await askFrom(lab, ['g1', 'g4'], ports.bystander);
  t.deepEqual(unanswered(before, 'bystander'), farBehind('g4'));
  const server = await serveInside(lab, ['tun0'], [...own, client.tun0.v4, client.tun0.v6]);
  const stray = await sniff(lab, 'client', 'c1', strayOf('tun0'));
  t.deepEqual(unanswered(await askFrom(lab, ['g1', 'g4'], ports.inside), 'inside'), []);
  t.deepEqual(await stray.stop(), []);
  t.deepEqual(await askFrom(lab, ['g1', 'g4'], ports.bystander), before);
  server.kill();
  await server.done;
});
