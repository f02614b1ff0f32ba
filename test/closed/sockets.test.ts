import test from 'ava';
import { guarded, seesAll, withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';
import { gateways, type Gateway } from '../helpers/topology.js';
import { stopped, watchOthers } from './other-path.js';
import { bothOf, inGroup, startSender } from './senders.js';

/** The gateway that a program gets to when it chooses another device than its group's. */
const other = { g2: 'g1', g3: 'g2' } as const;

for (const gateway of guarded()) {
  const { device } = gateways[other[gateway]];

  test.serial(`${gateway}: a program that binds all its sockets to ${device}`, async (t) => {
    const lab = await makeLab(t);
    const capture = await watchOthers(lab, gateway);
    const sender = await startSender(lab, (argv) => inGroup('via', gateway, argv), device);
    t.deepEqual([...(await sender.rounds(20)).keys()], []);
    t.true((await stopped(lab)) > 20);
    t.deepEqual(await capture.stop(), []);
    await sender.end();
  });

  // The kernel takes the destination for a neighbour there, and somebody answers for it.
  if (withClassic())
    test.serial(`${gateway}: the classic recipe leaks it`, async (t) => {
      const lab = await makeLab(t);
      const capture = await watchOthers(lab, gateway, 4);
      const sender = await startSender(lab, (argv) => inGroup('classic', gateway, argv), device);
      await sender.rounds(10);
      t.regex((await capture.stop()).join('\n'), / > 203\.0\.113\.10\.7000/);
      await sender.end();
    });

  test.serial(`${gateway}: a program that goes round the rules by what it asks of its sockets`, async (t) => {
    const lab = await makeLab(t);
    await routers(lab);
    const held = await hold(lab, bothOf(other[gateway]));
    // What is answered when the program has ended meets its group's rules all the same.
    const longer = await hold(lab, bothOf(gateway));
    const marks = await lab.sh('client', "ip -N rule | sed -n 's/.*fwmark \\(0x[0-9a-f]*\\).*/\\1/p'");
    const foreign = ['0xca6c', '0x6d6f6c65', '0x80000000', '0xffffffff', ...marks.trim().split('\n')];
    const capture = await watchOthers(lab, gateway);
    const { stdout, stderr } = await lab.run('client', inGroup('via', gateway, sockets(gateway, foreign)));
    // A source route names a neighbour as its destination, which iptables has no look behind.
    const routed = / > (10\.0\.1\.1|fd01::1)[.:]|Flags \[R\]/;
    const found = await capture.stop();
    t.deepEqual(seesAll() ? found : found.filter((line) => !routed.test(line)), []);
    t.is(stderr, '');
    const told = Object.fromEntries(stdout.split('\n').map((line) => [line.replace(/( [A-Z]{4,}| sent)*$/, ''), line]));
    // What has nothing of another path in it is sent, by the group's own.
    for (const name of ['own source', 'mapped', 'large', 'segmented', ...foreign.map((mark) => `mark ${mark}`)])
      t.regex(told[name] ?? '', / sent( sent)+$/, name);
    const routes = seesAll() ? ['loose source route', 'segments'] : [];
    for (const name of ['device', ...routes, 'fragments as they are', 'ICMP errors'])
      t.regex(told[name] ?? '', / E[A-Z]+( E[A-Z]+)+$/, name);
    await longer.release();
    await held.release();
  });

  if (withClassic())
    test.serial(`${gateway}: some of that leaks from the classic recipe`, async (t) => {
      const lab = await makeLab(t);
      await routers(lab);
      const capture = await watchOthers(lab, gateway, 4);
      await lab.run('client', inGroup('classic', gateway, sockets(gateway, [])));
      t.regex((await capture.stop()).join('\n'), / > 203\.0\.113\.10\.7000/);
    });
}

const sockets = (gateway: 'g2' | 'g3', marks: string[]): string[] => {
  const { device, v4, v6 } = gateways[other[gateway]];
  return [...python, fixture('sockets.py'), device, v4, v6, ...marks];
};

/** Has the gateways forward whatever they are asked to, by source routes too. */
async function routers(lab: Lab): Promise<void> {
  const names: Gateway[] = ['g1', 'g2', 'g3'];
  const settings = ['ipv4/ip_forward', 'ipv4/conf/all/accept_source_route', 'ipv4/conf/eth0/accept_source_route'];
  const script = settings.map((name) => `echo 1 >/proc/sys/net/${name}`).join('\n');
  await Promise.all(names.map((name) => lab.sh(name, script)));
}
