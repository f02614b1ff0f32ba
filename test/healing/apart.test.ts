import test from 'ava';
import { WITHIN } from '../helpers/healing.js';
import { settled } from '../helpers/keepers.js';
import { makeLab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { startMember } from '../helpers/member.js';
import { far } from '../helpers/topology.js';

test.serial(
  'a device without a default route is lost to who follows it, and not to who named the router',
  async (t) => {
    const lab = await makeLab(t);
    const route = 'default via 10.0.2.1 dev c2 metric 500';
    await lab.sh('client', `ip route add ${route}`);
    const [named, follows] = [await startMember(lab, ['10.0.2.1']), await startMember(lab, ['%c2'])];
    await settled(lab);
    await lab.sh('client', `ip route del ${route}`);
    await until('it is told', () => /^via: gateway %c2: lost: no default route/m.test(follows.running.stderr), WITHIN);
    t.is((await named.ask('tcp')).who, 'g2');
    t.not((await follows.ask('udp', far.v4, 0.2)).who, 'g2');
    await lab.sh('client', `ip route add ${route}`);
    await until('it is back', async () => (await follows.ask('tcp', far.v4, 0.2)).who === 'g2', WITHIN);
    t.is(named.running.stderr, '');
    for (const member of [named, follows]) await member.end();
    await kept(lab);
  },
);

test.serial('a device that gets another name is lost, until it has its own again', async (t) => {
  const lab = await makeLab(t);
  const member = await startMember(lab, ['10.0.2.1']);
  await settled(lab);
  const told = (what: RegExp) => until(String(what), () => what.test(member.running.stderr), WITHIN);
  await lab.sh('client', 'ip link set c2 name lte0');
  await told(/^via: gateway 10\.0\.2\.1: lost: there is no c2 /m);
  await lab.sh('client', 'ip link set lte0 name c2');
  await told(/^via: gateway 10\.0\.2\.1: back$/m);
  t.is((await member.ask('tcp')).who, 'g2');
  await member.end();
  await kept(lab);
});
