import test from 'ava';
import { classic } from '../helpers/classic.js';
import { askFrom, farBehind, own, ports, serveInside, serveOutside, unanswered } from '../helpers/clients.js';
import { listRouters } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { fixture } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';

const everybody = ['g1', 'g2', 'g3'] as const;
const forget = 'ip neigh flush dev c1; ip -6 neigh flush dev c1';

// A second router on main's own LAN, which the kernel knows nothing of yet. What comes by it can only be told from what
// comes by main's router by its link-layer address.
for (const gateway of ['10.0.1.3,fd01::3', '10.0.1.3,fe80::1:3%c1'])
  test.serial(`a server in the group of ${gateway}, and a bystander's`, async (t) => {
    const lab = await makeLab(t);
    await serveOutside(lab);
    const before = await askFrom(lab, everybody, ports.bystander);
    t.deepEqual(unanswered(before, 'bystander'), farBehind('g2', 'g3'));
    await lab.sh('client', forget);
    const server = await serveInside(lab, [gateway]);
    t.deepEqual(unanswered(await askFrom(lab, everybody, ports.inside), 'inside'), farBehind('g2'));
    t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
    server.kill();
    await server.done;
  });

test.serial('a server by the classic recipe answers all by its gateway', async (t) => {
  const lab = await makeLab(t);
  const ended = classic(lab, 'g3', [process.execPath, fixture('server.mjs'), 'inside', ...own]);
  await lab.sh('client', 'until curl -s -m1 -o /dev/null 127.0.0.1; do sleep 0.05; done');
  const silent = unanswered(await askFrom(lab, everybody, ports.inside), 'inside');
  // v6 it leaves alone.
  for (const who of farBehind('g1').filter((one) => one.endsWith('v4'))) t.true(silent.includes(who), who);
  for (const { pid, argv } of lab.processes()) if (argv.includes('inside')) process.kill(pid);
  await ended;
});

test.serial('groups of both routers, and one of another uplink, at once', async (t) => {
  const lab = await makeLab(t);
  await serveOutside(lab);
  const before = await askFrom(lab, everybody, ports.bystander);
  await lab.sh('client', forget);
  const held = [await hold(lab, '10.0.1.1,fd01::1'), await hold(lab, '10.0.2.1,fd02::1')];
  const server = await serveInside(lab, ['10.0.1.3,fd01::3']);
  t.deepEqual(unanswered(await askFrom(lab, everybody, ports.inside), 'inside'), farBehind('g2'));
  t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
  for (const one of held) await one.release();
  server.kill();
  await server.done;
});

test.serial('a router stays known to a group in use when the kernel has forgotten it', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const known = () => lab.sh('client', listRouters());
  const held = await hold(lab, '10.0.1.3,fd01::3');
  const before = await known();
  t.is(before.match(/02:00:00:00:01:03/g)?.length, 2, before);
  await lab.sh('client', `${forget}; ip link set c1 arp off`);
  t.is((await lab.via(['10.0.2.1', '--', 'true'])).code, 0);
  t.is(await known(), before);
  const again = await lab.via(['-v', '10.0.1.3,fd01::3', '--', 'true']);
  t.deepEqual([again.code, again.stdout], [0, '']);
  t.notRegex(again.stderr, /nft|iptables/);
  t.is(await known(), before);
  await held.release();
});

test.serial('a router that does not answer keeps no launch from its start', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { code, ms } = await lab.via(['10.0.1.77', '--', 'true']);
  t.is(code, 0);
  t.true(ms < 3000, `${ms} ms`);
});
