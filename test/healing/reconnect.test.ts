import test from 'ava';
import { argvOf } from '../helpers/family.js';
import { startDay } from '../helpers/healing.js';
import type { Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { sniff } from '../helpers/sniff.js';
import { far } from '../helpers/topology.js';

/** The device of a VPN goes with its program. */
async function dropTunnel(lab: Lab): Promise<void> {
  for (const pid of lab.walls.members())
    if (argvOf(pid).some((word) => word.endsWith('/tun.py'))) process.kill(pid, 'SIGKILL');
  await lab.sh('client', 'until ip link del tun0; do sleep 0.01; done');
}

/** And comes back with it under the same name: for the kernel another one. */
async function makeTunnel(lab: Lab): Promise<void> {
  await lab.sh('client', 'ip tuntap add dev tun0 mode tun');
  const namespace = (place: string) => `/proc/${lab.walls.holder}/root/run/netns/${place}`;
  await lab.serve('lan', [...python, fixture('tun.py'), namespace('client'), namespace('g4')]);
  await lab.sh(
    'client',
    `ip link set tun0 up
    ip address add 10.0.4.2 peer 10.0.4.1/32 dev tun0; ip -6 address add fd04::2 peer fd04::1/128 dev tun0`,
  );
}

for (const words of [['tun0'], ['10.0.4.1,fd04::1']])
  test.serial(`via ${words.join(' ')}: the tunnel goes, and comes back under the same name`, async (t) => {
    const day = await startDay(t, { tun: true, gateway: 'g4', words });
    for (let n = 0; n < 2; n++) {
      await dropTunnel(day.lab);
      await day.silent(20);
      await makeTunnel(day.lab);
      await day.mended();
    }
    await day.whole();
    await day.end();
  });

/** Both ends of the cable between c2 and g2. */
const cable = `ip link add c2 netns client address 02:00:00:00:02:02 type veth peer name eth0 netns g2 address 02:00:00:00:02:01`;

async function makeCard(lab: Lab): Promise<void> {
  await lab.sh('lan', cable);
  await lab.sh(
    'g2',
    `ip link set eth0 up; ip address add 10.0.2.1/24 dev eth0
    ip -6 address add fd02::1/64 dev eth0; ip -6 address add fe80::2:1/64 dev eth0`,
  );
  await lab.sh(
    'client',
    `ip link set c2 up; ip address add 10.0.2.2/24 dev c2
    ip -6 address add fe80::2:2/64 dev c2; ip -6 address add fd02::2/64 dev c2`,
  );
}

test.serial('a network card is pulled out, and put back', async (t) => {
  // Strict, so that its own setting has to be made once more: a new device is born with the usual ones.
  const day = await startDay(t, { rpFilter: { c2: 1 } });
  await day.sh('ip link del c2');
  await day.silent(20);
  await makeCard(day.lab);
  await day.sh('echo 1 >/proc/sys/net/ipv4/conf/c2/rp_filter');
  await day.mended();
  await day.whole();
  await day.end();
});

test.serial('%c2, with its default route: the same', async (t) => {
  const defaults = `ip route add default via 10.0.2.1 dev c2 metric 200
    ip -6 route add default via fd02::1 dev c2 metric 2000`;
  const day = await startDay(t, { words: ['%c2'], before: defaults });
  await day.sh('ip link del c2');
  await day.silent(20);
  await makeCard(day.lab);
  await day.silent(10);
  await day.sh(defaults);
  await day.mended();
  await day.whole();
  await day.end();
});

test.serial('its name is taken by a device that leads elsewhere: closed', async (t) => {
  // At the other end: a capture ends with the name of its device.
  const filter = `host ${far.v4} or host ${far.v6}`;
  const day = await startDay(t, { watch: (lab) => sniff(lab, 'g1', 'eth0', filter) });
  await day.sh('ip link del c2');
  await day.sh('ip link set c1 down; ip link set c1 name c2; ip link set c2 up; ip route add default via 10.0.1.1');
  await day.silent(50);
  await day.sh('ip link set c2 down; ip link set c2 name c1; ip link set c1 up; ip route add default via 10.0.1.1');
  await makeCard(day.lab);
  await day.mended();
  await day.end();
});
