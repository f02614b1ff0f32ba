import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { refuseAll } from '../helpers/refused.js';
import { viaBin } from '../helpers/paths.js';
import { outside, probe } from '../helpers/probes.js';

/** Names that the kernel takes and via does not, and one that is an address; JavaScript escapes are printf(1)'s too. */
const hostile = ['a";drop;{', '$(id)', '-x', '`id`', "a'b", '#', 'x}', '@lan4', '*', '..x', 'a\u0001b', 'a\u00ffb'];
const names = [...hostile, '10.0.0.1'];

/** A device for each name, up, with the network 10.9.N.0/24. */
async function addDevices(lab: Lab): Promise<void> {
  const add = `
    number=0
    for name; do
      ip link add name "$name" type veth peer name peer$number
      ip link set peer$number up
      ip address add 10.9.$number.2/24 dev "$name"
      ip link set dev "$name" up
      number=$((number + 1))
    done`;
  const { code, stderr } = await lab.run('client', ['sh', '-ec', add, 'add', ...names]);
  if (code !== 0) throw new Error(stderr);
}

test.serial('devices with hostile names do no harm, and are no LAN', async (t) => {
  const lab = await makeLab(t, { rpFilter: { all: 1 } });
  await addDevices(lab);
  const via = (argv: string[]) => lab.via(['10.0.2.1', '--', ...argv]);
  const { left } = await leaving(lab, async () => {
    for (const kind of ['tcp', 'udp'] as const) t.like(await probe(via, kind, 4), { gateway: 'g2', error: null }, kind);
    const sets = await via(['nft', 'list', 'set', 'inet', 'via', 'lan4']);
    t.deepEqual(sets.stdout.match(/"[^"]*" \. [\d./]+/g)?.sort(), [
      '"10.0.0.1" . 10.9.12.0/24',
      '"c1" . 10.0.1.0/24',
      '"c2" . 10.0.2.0/24',
    ]);
    const script = await lab.via(['--dry-run', '10.0.2.1', '--', 'true']);
    t.is(script.code, 0);
    for (const name of hostile.filter((text) => /["$`'}]/.test(text))) t.false(script.stdout.includes(name), name);
  });
  t.deepEqual(left, []);
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
});

test.serial('such a name is no gateway, unless it could harm nobody', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addDevices(lab);
  const run = ['--', 'echo', 'ran'];
  const no =
    /^via: gateway "[^\n]*": (neither an address nor a device name via takes|the text before % is not an address)/m;
  const texts = hostile.flatMap((name) => [name, `%${name}`, `10.9.0.1%${name}`]);
  await refuseAll(
    t,
    lab,
    texts.map((gateway) => [['--', gateway, ...run], no]),
  );
  // The networks of these devices are known, and still nothing goes by them.
  await refuseAll(t, lab, [
    [['10.9.0.1', ...run], /^via: device "a";drop;{": unknown/m],
    [['10.0.0.1', ...run], /^via: gateway 10.0.0.1: not on-link/m],
    [['%10.0.0.1', ...run], /^via: device 10.0.0.1: no default route is known on it/m],
  ]);
  for (const gateway of ['10.9.12.1', '10.9.12.1%10.0.0.1']) {
    const { result, left } = await leaving(lab, () => lab.run('client', [viaBin, gateway, '--', 'echo', 'ran']));
    t.deepEqual([result.code, result.stdout, result.stderr], [0, 'ran\n', ''], gateway);
    t.deepEqual(left, [], gateway);
  }
  await lab.sh('client', 'ip route add default via 10.9.12.1 dev 10.0.0.1 table 77');
  t.is((await lab.via(['%10.0.0.1', ...run])).stdout, 'ran\n');
});
