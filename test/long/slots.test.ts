import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { outside, probe } from '../helpers/probes.js';
import { by } from '../helpers/runners.js';
import { diff, snapshot } from '../helpers/snapshot.js';

// Routers that need not be there; two that are, one of them the last.
const there = ['10.0.1.3', '10.0.2.1'];
const gateways = [there[0] ?? '', ...Array.from({ length: 125 }, (_, i) => `10.0.2.${i + 10}`), there[1] ?? ''];

test.serial('127 groups at once; the 128th is an error', async (t) => {
  const lab = await makeLab(t);
  // Known as neighbours: a launch would wait a moment for each that does not answer.
  const neighbours = gateways.slice(1).map((gateway) => `neigh replace ${gateway} lladdr 02:00:00:00:02:01 dev c2`);
  await lab.sh('client', `ip -batch - <<'EOF'\n${neighbours.join('\n')}\nEOF`);
  const clean = await snapshot(lab);
  // Each is kept by a process that the command leaves, so that no via has to stay.
  for (const gateway of gateways) {
    const { code, stderr } = await lab.via([gateway, '--', 'sh', '-c', 'setsid sleep 1000 >/dev/null 2>&1 &']);
    t.deepEqual([code, stderr], [0, ''], gateway);
  }
  const marks = [...(await lab.sh('client', 'ip rule')).matchAll(/fwmark (0x[0-9a-f]+)\/0xff000000/g)];
  t.is(new Set(marks.map(([, mark]) => mark)).size, 127);

  // The keeper's guard follows a moment after the last of them.
  const guards = 'nft list table inet via_guard 2>&1 | grep -c "chain guard_" || :';
  await until('the guard knows them all', async () => Number(await lab.sh('client', guards)) === 127, 10_000);
  const full = await snapshot(lab);
  const { code, stdout, stderr } = await lab.via(['10.0.2.200', '--', 'echo', 'ran']);
  t.deepEqual([code, stdout], [125, '']);
  t.regex(stderr, /^via: group: all 127 slots are taken \([^\n]+\)\n$/);
  // The root group's list is that of the processes that take the snapshot.
  t.deepEqual(
    diff(full, await snapshot(lab)).filter((line) => !/net_cls\/(tasks|cgroup\.procs)$/.test(line)),
    [],
  );

  // All of them work, the first and the last, and so does who is in none.
  for (const kind of ['tcp', 'udp', 'ping'] as const) {
    t.is((await probe(by(lab, '10.0.1.3'), kind, 4)).gateway, 'g3', kind);
    t.is((await probe(by(lab, '10.0.2.1'), kind, 4)).gateway, 'g2', kind);
    t.is((await probe(outside(lab), kind, 4)).gateway, 'g1', kind);
  }

  for (const { pid, argv } of lab.processes()) if (argv[0] === 'sleep') process.kill(pid);
  await kept(lab);
  t.is((await lab.via(['sweep'])).stderr, '');
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});
