import test from 'ava';
import { programsOf } from '../helpers/calls.js';
import { settled } from '../helpers/keepers.js';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { far } from '../helpers/topology.js';

// Routers that need not be there, but for the first.
const gateways = ['10.0.2.1', ...Array.from({ length: 99 }, (_, i) => `10.0.2.${i + 10}`)];

interface Shown {
  gateway: string;
  table: number;
  mark: string;
  state: string;
  why: string;
  sent: { packets: number; bytes: number };
  members: { pid: number; command: string }[];
}

test.serial('status of 100 groups runs no more commands than that of one, and tells them apart', async (t) => {
  const lab = await makeLab(t, { servers: false });
  // Known as neighbours: a launch would wait a moment for each that does not answer.
  const neighbours = gateways.slice(1).map((gateway) => `neigh replace ${gateway} lladdr 02:00:00:00:02:01 dev c2`);
  await lab.sh('client', `ip -batch - <<'EOF'\n${neighbours.join('\n')}\nEOF`);
  const { left } = await leaving(lab, async () => {
    const members: number[] = [];
    const launch = async (gateway: string): Promise<void> => {
      // Each is kept by a process that the command leaves, so that no via has to stay.
      const words = [gateway, '--', 'sh', '-c', 'setsid sleep 1000 >/dev/null 2>&1 & echo $!'];
      const { code, stdout, stderr } = await lab.via(words);
      t.deepEqual([code, stderr], [0, ''], gateway);
      members.push(Number(stdout));
    };
    await launch(gateways[0]!);
    await settled(lab);
    const one = (await programsOf(lab, ['status'])).sort();
    for (const gateway of gateways.slice(1)) await launch(gateway);
    const guards = 'nft list table inet via_guard 2>&1 | grep -c "chain guard_" || :';
    await until('the keeper knows them all', async () => Number(await lab.sh('client', guards)) === 100, 20_000);
    await settled(lab);
    t.deepEqual((await programsOf(lab, ['status'])).sort(), one);
    await lab.via(['10.0.2.1', '--', 'ping', '-nqc3', '-i0.1', far.v4]);
    const { groups } = JSON.parse((await lab.via(['status', '--json'])).stdout) as { groups: Shown[] };
    t.deepEqual(groups.map(({ gateway }) => gateway).sort(), [...gateways].sort());
    t.deepEqual(
      groups.filter(({ state, why }) => state !== 'ok' || why !== ''),
      [],
    );
    t.is(new Set(groups.map(({ table }) => table)).size, 100);
    t.is(new Set(groups.map(({ mark }) => mark)).size, 100);
    const rules = await lab.sh('client', 'ip rule');
    for (const [n, gateway] of gateways.entries()) {
      const group = groups.find((each) => each.gateway === gateway)!;
      t.deepEqual(
        group.members.map(({ pid, command }) => [pid, command]),
        [[members[n], 'sleep 1000']],
        gateway,
      );
      t.deepEqual(group.sent, n === 0 ? { packets: 3, bytes: 3 * 84 } : { packets: 0, bytes: 0 }, gateway);
      t.true(rules.includes(`fwmark ${group.mark.replace(/^0x0*/, '0x')} iif lo lookup ${group.table} `), gateway);
    }
    const lines = (await lab.via(['status'])).stdout.split('\n');
    t.is(lines.filter((line) => / ok /.test(line)).length, 100);
    for (const line of lines) t.true(line.length <= 80, line);
    for (const pid of members) process.kill(pid);
    await kept(lab);
  });
  t.deepEqual(left, []);
});
