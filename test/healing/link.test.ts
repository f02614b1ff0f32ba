import test from 'ava';
import { guarded } from '../helpers/firewall.js';
import { fresh, startDay } from '../helpers/healing.js';
import { until } from '../helpers/left.js';
import { client, gateways } from '../helpers/topology.js';

/** What a network manager does when a link is back: the kernel keeps no IPv6 address of a link that went down. */
const addresses = (device: 'c1' | 'c2'): string =>
  `ip -6 address add ${client[device].link}/64 dev ${device}; ip -6 address add ${client[device].v6}/64 dev ${device}`;

/** And what it knows of main, where the link was main's too. */
const mains = {
  c1: { 4: 'ip route replace default via 10.0.1.1', 6: 'ip -6 route replace default via fd01::1 dev c1' },
  c2: { 4: ':', 6: ':' },
};

for (const gateway of guarded()) {
  const { device } = gateways[gateway];

  test.serial(`${gateway}: the link goes down: closed; it comes up: each family as soon as it can`, async (t) => {
    const day = await startDay(t, { gateway });
    await day.sh(`ip link set ${device} down`);
    await day.silent(30);
    await day.sh(`ip link set ${device} up; ${mains[device][4]}`);
    await day.mended(fresh(4));
    await day.silent(1, fresh(6));
    await day.sh(`${addresses(device)}; ${mains[device][6]}`);
    await day.mended();
    await day.whole();
    await day.end();
  });

  test.serial(`${gateway}: the link is down for a moment only`, async (t) => {
    const day = await startDay(t, { gateway });
    await day.sh(
      `ip link set ${device} down; ip link set ${device} up; ${addresses(device)}
      ${mains[device][4]}; ${mains[device][6]}`,
    );
    await day.mended();
    await day.whole();
    await day.end();
  });
}

test.serial('IPv6 waits until the address is known to be of nobody else', async (t) => {
  const day = await startDay(t);
  await day.sh('ip link set c2 down; echo 1 >/proc/sys/net/ipv6/conf/c2/accept_dad; ip link set c2 up');
  await day.mended(fresh(4));
  await day.sh(addresses('c2'));
  const tentative = async (): Promise<boolean> =>
    (await day.lab.sh('client', 'ip -6 -o address show dev c2 tentative')) !== '';
  t.true(await tentative(), 'the address is of use at once, so the test tells nothing');
  await until('the address is of use', async () => !(await tentative()), 10_000);
  await day.mended();
  await day.whole();
  await day.end();
});
