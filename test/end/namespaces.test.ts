import test from 'ava';
import type { Running } from '../helpers/exec.js';
import { killKeepers } from '../helpers/keepers.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { snapshot } from '../helpers/snapshot.js';
import type { Place } from '../helpers/topology.js';

// A gateway namespace becomes a second client: the same gateway on a device of the same name.
const twin = `
  ip link add c2 type veth peer name to-c2
  ip address add 10.0.2.2/24 dev c2
  ip link set c2 up
  ip link set to-c2 up
  echo 1 >/proc/sys/net/ipv4/conf/c2/rp_filter`;

const gateway = '10.0.2.1';

async function user(lab: Lab, place: Place): Promise<Running> {
  const running = lab.start(place, [viaBin, gateway, '--', 'sh', '-c', 'echo in; read _']);
  await running.waitFor(/in/);
  return running;
}

async function end(running: Running | undefined, signal?: 'SIGKILL'): Promise<string | undefined> {
  if (signal) running?.kill(signal);
  running?.stdin.end();
  return (await running?.done)?.stderr;
}

/** What of a snapshot belongs to the network namespace alone. */
async function network(lab: Lab, place: Place): Promise<object> {
  const { nft, rules, rules6, routes, routes6, sysctls } = await snapshot(lab, place);
  return { nft, rules, rules6, routes, routes6, sysctls };
}

test.serial('two namespaces use one gateway address at once, and each cleans its own only', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  await lab.sh('g1', twin);
  for (const [first, second] of [
    ['client', 'g1'],
    ['g1', 'client'],
  ] as const) {
    const untouched = await network(lab, second);
    const { left } = await leaving(lab, async () => {
      const running = [await user(lab, first), await user(lab, second)];
      const groups = (await snapshot(lab)).cgroups?.match(/via-\S+ \d+/g) ?? [];
      t.is(new Set(groups.map((group) => group.split(' ')[1])).size, 2, 'two class ids');
      const during = await network(lab, second);
      t.is(await end(running[0]), '');
      t.deepEqual(await network(lab, second), during);
      for (const words of [['sweep'], [gateway, '--', 'true']])
        t.is((await lab.run(first, [viaBin, ...words])).stderr, '');
      t.deepEqual(await network(lab, second), during);
      t.is(await end(running[1]), '');
    });
    t.deepEqual(left, []);
    t.deepEqual(await network(lab, second), untouched);
  }
});

test.serial('both leave at the same moment', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh('g1', twin);
  const untouched = await network(lab, 'g1');
  for (let round = 0; round < 15; round++) {
    const { left } = await leaving(lab, async () => {
      const running = await Promise.all([user(lab, 'client'), user(lab, 'g1')]);
      running[0].stdin.end();
      await new Promise((resolve) => setTimeout(resolve, 3 * round));
      t.is(await end(running[1]), '', `round ${round}`);
      t.is(await end(running[0]), '', `round ${round}`);
    });
    t.deepEqual(left, [], `round ${round}`);
    t.deepEqual(await network(lab, 'g1'), untouched, `round ${round}`);
  }
});

test.serial('one is killed: the other takes the group, its own via the rest', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh('g1', twin);
  const untouched = await network(lab, 'g1');
  const { left } = await leaving(lab, async () => {
    const killed = await user(lab, 'g1');
    await killKeepers(lab);
    await end(killed, 'SIGKILL');
    t.is((await lab.via([gateway, '--', 'true'])).stderr, '');
    t.notDeepEqual(await network(lab, 'g1'), untouched);
    t.is((await lab.run('g1', [viaBin, 'sweep'])).stderr, '');
    t.deepEqual(await network(lab, 'g1'), untouched);
  });
  t.deepEqual(left, []);
});

for (const keeper of ['lives', 'was killed'])
  test.serial(`a namespace that is gone leaves nothing that stays: its keeper ${keeper}`, async (t) => {
    const lab = await makeLab(t, { servers: false });
    const { left } = await leaving(lab, async () => {
      await lab.sh('lan', `ip netns add gone && nsenter --net=/run/netns/gone sh -ec '${twin}'`);
      const running = lab.start('gone' as Place, [viaBin, gateway, '--', 'sh', '-c', 'echo in; read _']);
      await running.waitFor(/in/);
      if (keeper === 'was killed') await killKeepers(lab);
      await end(running, 'SIGKILL');
      await lab.sh('lan', 'ip netns del gone');
      t.is((await lab.via([gateway, '--', 'true'])).stderr, '');
      await kept(lab);
    });
    t.deepEqual(left, []);
  });
