// What groups cost a program outside: UDP round trips and TCP throughput without via, with one group and with 50, for each
// firewall; and what connection tracking alone costs, which a group brings with it. Medians of rounds in turn, as ratios
// to a machine without any of it, in a lab of network namespaces.
// Usage: npm run bench:bystander [rounds [firewall...]]
import { fileURLToPath } from 'node:url';
import { makeLab } from '../build/test/helpers/lab.js';
import { launchWords, markBy } from '../build/test/helpers/firewall.js';
import { quiet } from '../build/test/helpers/left.js';
import { far } from '../build/test/helpers/topology.js';

const rounds = Number(process.argv[2] ?? 5);
const wished = process.argv.length > 3 ? process.argv.slice(3) : ['nft', 'iptables-nft', 'iptables-legacy'];
const python = ['/usr/bin/python3', '-I', '-S', fileURLToPath(new URL('bystander.py', import.meta.url))];
const GROUPS = 50;
const SECONDS = 0.5;
/** Routers that need not be there. */
const gateways = Array.from({ length: GROUPS }, (_, i) => `10.0.2.${i + 10}`);
const neighbours = gateways.map((gateway) => `neigh replace ${gateway} lladdr 02:00:00:00:02:01 dev c2`).join('\n');
const track = "nft 'table inet track { chain input { type filter hook input priority 0; ct state invalid accept; }; }'";

/** What is there while a program outside is timed; each gives what takes it away again. */
const states = {
  'without via': async () => () => {},
  'tracking alone': async (lab) => {
    await lab.sh('client', track);
    return () => lab.sh('client', 'nft delete table inet track');
  },
  'one group': (lab) => launch(lab, gateways.slice(0, 1)),
  [`${GROUPS} groups`]: (lab) => launch(lab, gateways),
};

/** Each group is kept by a process that the command leaves, so that no via has to stay. */
async function launch(lab, list) {
  await lab.sh('client', `ip -batch - <<'EOF'\n${neighbours}\nEOF`);
  for (const gateway of list) {
    const command = [...launchWords([gateway]), '--', 'sh', '-c', 'setsid sleep 1000 >/dev/null 2>&1 &'];
    const { code, stderr } = await lab.run('client', command);
    if (code !== 0) throw new Error(stderr);
  }
  return async () => {
    for (const { pid } of lab.processes()) process.kill(pid);
    await quiet(lab);
    await lab.via(['sweep']);
  };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

for (const firewall of wished) {
  markBy(firewall);
  const undo = [];
  const lab = await makeLab({ teardown: (act) => undo.push(act) }, { servers: false });
  try {
    await lab.serve('g1', [...python, 'serve', far.v4]);
    const seen = Object.fromEntries(Object.keys(states).map((name) => [name, { trip: [], rate: [] }]));
    for (let round = 0; round < rounds; round++)
      for (const [name, make] of Object.entries(states)) {
        const takeAway = await make(lab);
        const argv = [...python, 'ask', far.v4, String(SECONDS)];
        const { code, stdout, stderr } = await lab.run('client', argv);
        if (code !== 0) throw new Error(`${name}: ${stderr}`);
        const [trip, rate] = stdout.split(' ').map(Number);
        seen[name].trip.push(trip);
        seen[name].rate.push(rate);
        await takeAway();
      }
    const base = seen['without via'];
    console.log(firewall);
    for (const [name, { trip, rate }] of Object.entries(seen)) {
      const [time, speed] = [median(trip), median(rate)];
      console.log(
        `  ${name.padEnd(14)} UDP ${time.toFixed(1)} us = ${(time / median(base.trip)).toFixed(2)} x,` +
          ` TCP ${speed.toFixed(0)} MB/s = ${(speed / median(base.rate)).toFixed(2)} x`,
      );
    }
  } finally {
    for (const act of undo.reverse()) await act();
  }
}
