import test, { type ExecutionContext } from 'ava';
import { guarded } from '../helpers/firewall.js';
import { watched, WITHIN } from '../helpers/healing.js';
import { settled } from '../helpers/keepers.js';
import { makeLab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { startMember, type Member } from '../helpers/member.js';
import { watchOthers } from '../closed/other-path.js';
import { client, far, gateways } from '../helpers/topology.js';

const both = '10.0.2.1,fd02::1';

/** ARP and neighbour discovery give up after three. */
const SECONDS = 5;

/** All are told that nothing can be reached, also when the kernel knows already; by none of them the other path is taken. */
async function unreachable(t: ExecutionContext, member: Member): Promise<void> {
  for (const time of ['first', 'second'])
    for (const address of [far.v4, far.v6])
      for (const kind of ['tcp', 'udp'] as const) {
        const { who, ms } = await member.ask(kind, address, 8);
        t.regex(who, /^E(?!TIMEDOUT|OF)/, `${kind} ${address}, the ${time} time`);
        t.true(ms < SECONDS * 1000, `${kind} ${address}, the ${time} time: ${ms} ms`);
      }
}

const back = async (member: Member, gateway: string): Promise<void> => {
  for (const address of [far.v4, far.v6])
    await until(
      `${gateway} answers at ${address}`,
      async () => (await member.ask('tcp', address, 0.2)).who === gateway,
      WITHIN,
    );
};

for (const gateway of guarded())
  test.serial(`${gateway}: a router that is dead: an error within seconds, and no other way`, async (t) => {
    const lab = await makeLab(t);
    const { v4, v6, device } = gateways[gateway];
    const member = await startMember(lab, [`${v4},${v6}`]);
    t.is((await member.ask('tcp')).who, gateway);
    await watched(lab);
    const capture = await watchOthers(lab, gateway);
    await lab.sh(gateway, 'ip address flush dev eth0');
    // As the kernel does some time later, when nobody has confirmed them.
    await lab.sh('client', 'ip neigh flush all; ip -6 neigh flush all');
    await unreachable(t, member);
    // A router that is back makes itself known; until it does, or for a minute, the kernel does not ask for one of IPv6.
    await lab.sh(
      gateway,
      `ip address add ${v4}/24 dev eth0; ip -6 address add ${v6}/64 dev eth0
      for address in ${client[device].v4} ${client[device].v6}; do ping -n -c1 -W1 $address >/dev/null; done`,
    );
    await back(member, gateway);
    t.deepEqual(await capture.stop(), []);
    await member.end();
    await kept(lab);
  });

test.serial('no carrier: an error within seconds, no other way, and back with the carrier', async (t) => {
  const lab = await makeLab(t);
  const member = await startMember(lab, [both]);
  t.is((await member.ask('tcp')).who, 'g2');
  await watched(lab);
  const capture = await watchOthers(lab, 'g2');
  await lab.sh('g2', 'ip link set eth0 down');
  await unreachable(t, member);
  await lab.sh(
    'g2',
    'ip link set eth0 up; ip -6 address add fd02::1/64 dev eth0; ip -6 address add fe80::2:1/64 dev eth0',
  );
  await back(member, 'g2');
  t.deepEqual(await capture.stop(), []);
  await member.end();
  await kept(lab);
});

test.serial('a router that is dead is said to be lost once, however often the kernel asks for it', async (t) => {
  const lab = await makeLab(t);
  const member = await startMember(lab, ['10.0.2.1']);
  await settled(lab);
  await lab.sh('g2', 'ip address flush dev eth0');
  await lab.sh('client', 'ip neigh flush all');
  t.regex((await member.ask('tcp', far.v4, 8)).who, /^E/);
  const told = () => member.running.stderr.match(/^via: gateway 10\.0\.2\.1: (lost|back).*$/gm) ?? [];
  await until('it is told', () => told().length > 0, WITHIN);
  // Longer than until it is asked for again, and until that is given up.
  for (let n = 0; n < 10; n++) {
    await lab.sh('client', 'ip rule add pref 30000 lookup main; sleep 1; ip rule del pref 30000');
    await lab.sh('client', 'ip neigh replace 10.0.2.1 dev c2 use');
  }
  t.is(told().length, 1, member.running.stderr);
  await lab.sh('g2', 'ip address add 10.0.2.1/24 dev eth0');
  await until('it is back', () => told().length === 2, 10_000);
  await member.end();
  await kept(lab);
});
