import test from 'ava';
import { bothOf } from '../closed/senders.js';
import { keepApart } from '../helpers/behind.js';
import { askFrom, farBehind, ports, serveOutside, unanswered } from '../helpers/clients.js';
import { seesAll } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { hold } from '../helpers/runners.js';
import { ownWayBack } from './own-way-back.js';
import { halves } from './vpns.js';

// By iptables only where the marks are iptables' too, and were there before: as CAVEATS of the manual page says.
const cases = seesAll()
  ? ([
      ['nft', 'before'],
      ['nft', 'after'],
      ['iptables', 'before'],
      ['iptables', 'after'],
    ] as const)
  : ([['iptables', 'before']] as const);

const second = 'ip route add default via 10.0.2.1 metric 700; ip -6 route add default via fd02::1 metric 2000';
const defaults = [
  { name: '', script: ':' },
  { name: ', and main has a second default route', script: second },
];

for (const [home, order, { name, script }] of cases.flatMap((one) => defaults.map((two) => [...one, two] as const)))
  test.serial(
    `${home}: a server outside, which marks that were there ${order} the group lead back${name}`,
    async (t) => {
      const lab = await makeLab(t);
      await lab.sh('client', script);
      await keepApart(lab);
      await serveOutside(lab);
      const silent = async () => unanswered(await askFrom(lab, ['g1', 'g2', 'g3'], ports.bystander), 'bystander');
      t.deepEqual(await silent(), farBehind('g2', 'g3'));
      if (order === 'before') await lab.sh('client', ownWayBack(home));
      const held = [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))];
      if (order === 'after') await lab.sh('client', ownWayBack(home));
      t.deepEqual(await silent(), farBehind('g3'));
      for (const one of held) await one.release();
      t.deepEqual(await silent(), farBehind('g3'));
    },
  );

for (const [home, order] of cases)
  test.serial(`${home}: the same by main's own router, around a VPN, ${order} the group`, async (t) => {
    const lab = await makeLab(t, { tun: true });
    await keepApart(lab);
    await serveOutside(lab);
    await lab.sh('client', halves.up);
    const silent = async () => unanswered(await askFrom(lab, ['g1', 'g2'], ports.bystander), 'bystander');
    t.deepEqual(await silent(), farBehind('g1', 'g2'));
    if (order === 'before') await lab.sh('client', ownWayBack(home, 'g1'));
    const held = [await hold(lab, bothOf('g1')), await hold(lab, bothOf('g3'))];
    if (order === 'after') await lab.sh('client', ownWayBack(home, 'g1'));
    t.deepEqual(await silent(), farBehind('g2'));
    for (const one of held) await one.release();
    t.deepEqual(await silent(), farBehind('g2'));
  });
