import test, { type ExecutionContext } from 'ava';
import { bothOf } from '../closed/senders.js';
import { keepApart } from '../helpers/behind.js';
import { classic } from '../helpers/classic.js';
import {
  all,
  askAgain,
  askFrom,
  end,
  farBehind,
  keep,
  own,
  ports,
  serveInside,
  serveOutside,
  unanswered,
} from '../helpers/clients.js';
import { seesAll, withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving, until } from '../helpers/left.js';
import { fixture } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far, type Gateway } from '../helpers/topology.js';
import { halves, wgQuick } from './vpns.js';

const everybody = ['g1', 'g2', 'g3'] as const;

async function makeVpnLab(t: ExecutionContext): Promise<Lab> {
  const lab = await makeLab(t, { tun: true });
  await keepApart(lab);
  return lab;
}

/** What goes into the tunnel, of the server inside and of the bystander. */
const watch = async (lab: Lab, device = 'tun0') => {
  const to = `(dst host ${far.v4} or dst host ${far.v6})`;
  const portsOf = (port: number): string => `(src port ${port} or src port ${port + 1})`;
  return {
    inside: await sniff(lab, 'client', device, `${to} and ${portsOf(ports.inside)}`),
    outside: await sniff(lab, 'client', device, `${to} and ${portsOf(ports.bystander)}`),
  };
};

/** Holds a group of main's own router where the server is in another one. */
const holdMains = async (lab: Lab, server: Gateway) => (server === 'g1' ? undefined : hold(lab, bothOf('g1')));

for (const name of ['g1', 'g3', 'g2'] as const)
  test.serial(`halves of a VPN come beside a server in the group of ${name}: it answers around them`, async (t) => {
    const lab = await makeVpnLab(t);
    await serveOutside(lab);
    const { left } = await leaving(lab, async () => {
      const held = await holdMains(lab, name);
      const server = await serveInside(lab, [bothOf(name)]);
      const before = keep(lab, 'g1', ports.inside);
      const bystanders = keep(lab, 'g1', ports.bystander);
      t.deepEqual(await askAgain(before), all('inside'));
      t.deepEqual(await askAgain(bystanders), all('bystander'));
      const { inside, outside } = await watch(lab);
      await lab.sh('client', halves.up);
      t.deepEqual(await askAgain(before), all('inside'));
      const asked: readonly Gateway[] = name === 'g1' ? ['g1'] : ['g1', name];
      t.deepEqual(unanswered(await askFrom(lab, asked, ports.inside), 'inside'), []);
      // A bystander's are main's, and so the VPN's.
      t.deepEqual(await askAgain(bystanders), all('-'));
      const silent = unanswered(await askFrom(lab, everybody, ports.bystander), 'bystander');
      t.deepEqual(silent, farBehind(...everybody));
      t.deepEqual(await inside.stop(), []);
      const seen = await outside.stop();
      for (const source of [client.c1.v4, client.c1.v6])
        for (const kind of [/Flags \[P/, /UDP/])
          t.true(
            seen.some((line) => line.includes(` ${source}.`) && kind.test(line)),
            `${source} ${kind}\n${seen.join('\n')}`,
          );
      await lab.sh('client', halves.down);
      t.deepEqual(await askAgain(before), all('inside'));
      await end(before, bystanders, server);
      await held?.release();
    });
    t.deepEqual(left, []);
  });

for (const name of ['g1', 'g3'] as const)
  test.serial(`a VPN's rules come ahead of the group of ${name}: a server never answers by it`, async (t) => {
    const lab = await makeVpnLab(t);
    const held = await holdMains(lab, name);
    const server = await serveInside(lab, [bothOf(name)]);
    const before = keep(lab, 'g1', ports.inside);
    t.deepEqual(await askAgain(before), all('inside'));
    const { inside } = await watch(lab);
    await lab.sh('client', wgQuick.up);
    // The keeper moves our rules ahead of the VPN's.
    await until('our rules are ahead', async () => String(await askAgain(before)) === String(all('inside')), 5000);
    t.deepEqual(unanswered(await askFrom(lab, ['g1', name], ports.inside), 'inside'), []);
    t.deepEqual(await inside.stop(), []);
    await lab.sh('client', wgQuick.down);
    t.deepEqual(unanswered(await askFrom(lab, ['g1', name], ports.inside), 'inside'), []);
    await end(before, server);
    await held?.release();
  });

for (const hop of ['', 'via 10.0.4.1 '])
  test.serial(`main leads ${hop}into a tunnel, and a VPN comes by another device`, async (t) => {
    const lab = await makeVpnLab(t);
    await lab.sh(
      'client',
      `ip route replace default ${hop}dev tun0; ip -6 route del default; ip -6 route add default dev tun0`,
    );
    const addresses = [...own, client.tun0.v4, client.tun0.v6];
    await serveOutside(lab, addresses);
    const server = await serveInside(lab, ['tun0'], addresses);
    const before = keep(lab, 'g4', ports.inside);
    t.deepEqual(await askAgain(before), all('inside'));
    const { inside } = await watch(lab, 'c2');
    await lab.sh(
      'client',
      `for net in 0.0.0.0/1 128.0.0.0/1; do ip route add $net via 10.0.2.1; done
    for net in ::/1 8000::/1; do ip -6 route add $net via fd02::1; done`,
    );
    t.deepEqual(await askAgain(before), all('inside'));
    t.deepEqual(unanswered(await askFrom(lab, ['g4'], ports.inside), 'inside'), []);
    t.deepEqual(unanswered(await askFrom(lab, ['g4'], ports.bystander), 'bystander'), farBehind('g4'));
    t.deepEqual(await inside.stop(), []);
    await end(before, server);
  });

// As CAVEATS of the manual page says.
test.serial(
  "without a group of main's router, a server answers who came by it by the VPN, as outside a group",
  async (t) => {
    const lab = await makeVpnLab(t);
    const server = await serveInside(lab, [bothOf('g2')]);
    const { inside } = await watch(lab);
    await lab.sh('client', halves.up);
    t.deepEqual(unanswered(await askFrom(lab, ['g1', 'g2'], ports.inside), 'inside'), farBehind('g1'));
    const said = await inside.stop();
    t.true(said.every((line) => / (10\.0\.1\.2|fd01::2)\.7000 > /.test(line)));
    t.not(said.length, 0);
    await end(server);
  },
);

if (withClassic())
  test.serial('the classic recipe answers over IPv6 by the VPN', async (t) => {
    const lab = await makeVpnLab(t);
    const ended = classic(lab, 'g1', [process.execPath, fixture('server.mjs'), 'inside', ...own]);
    await lab.sh('client', 'until curl -s -m1 -o /dev/null 127.0.0.1; do sleep 0.05; done');
    const { inside } = await watch(lab);
    await lab.sh('client', halves.up);
    await askFrom(lab, ['g1'], ports.inside);
    t.regex((await inside.stop()).join('\n'), new RegExp(client.c1.v6));
    for (const { pid, argv } of lab.processes()) if (argv.includes('inside')) process.kill(pid);
    await ended;
  });

// Where iptables marks the packets, as CAVEATS of the manual page says.
if (seesAll())
  test.serial("not even the answer to a SYN of a bystander's leaves by main's router", async (t) => {
    const lab = await makeVpnLab(t);
    await serveOutside(lab);
    const held = await hold(lab, bothOf('g1'));
    await lab.sh('client', halves.up);
    const capture = await sniff(lab, 'client', 'c1', `src port ${ports.bystander} and dst host ${far.v4}`);
    t.deepEqual(unanswered(await askFrom(lab, ['g1'], ports.bystander), 'bystander'), farBehind('g1'));
    t.deepEqual(await capture.stop(), []);
    await held.release();
  });
