import test from 'ava';
import type { Running } from '../helpers/exec.js';
import { launchWords } from '../helpers/firewall.js';
import { watched, WITHIN } from '../helpers/healing.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { startMember } from '../helpers/member.js';
import { probeCommand } from '../helpers/probes.js';
import { far } from '../helpers/topology.js';

const ports = { tcp: 7001, udp: 7000 } as const;

/** Somebody of no group who has a connection, or a flow, with its port fixed. */
async function talk(lab: Lab, kind: 'tcp' | 'udp', v: 'v4' | 'v6', localPort: number): Promise<Running> {
  const command = probeCommand(kind, { address: far[v], port: ports[kind], localPort, talk: true });
  const running = lab.start('client', command);
  await running.waitFor(/^open$/m);
  return running;
}

/** Has it ask once more; what it is told. */
async function ask(talker: Running): Promise<string> {
  const from = talker.stdout.length;
  talker.write('who\n');
  const [, line = ''] = await talker.waitFor(/^(E[A-Z]+|g\d .*)$/m, { from });
  return line;
}

/** What conntrack knows of flows with such a port at one end, without what changes by itself. */
const known = async (lab: Lab, port: number): Promise<string[]> =>
  (await lab.sh('client', `grep ' sport=${port} ' /proc/net/nf_conntrack || :`))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^(\S+ +\d+ \S+ +\d+) \d+/, '$1').replaceAll(/(packets|bytes|use)=\d+ ?/g, ''));

const events = {
  'the link of the group goes and comes back': {
    words: '10.0.2.1,fd02::1',
    does: `ip link set c2 down; ip link set c2 up
      ip -6 address add fe80::2:2/64 dev c2; ip -6 address add fd02::2/64 dev c2`,
    answers: 'g2',
  },
  'the device of the group follows another router': {
    words: '%c1',
    does: `ip route replace default via 10.0.1.3 dev c1
      ip -6 route del default; ip -6 route add default via fd01::3 dev c1 metric 1024`,
    answers: 'g3',
  },
};

for (const [what, { words, does, answers }] of Object.entries(events))
  test.serial(`${what}: nobody else's flows are forgotten`, async (t) => {
    const lab = await makeLab(t);
    const member = await startMember(lab, [words]);
    await watched(lab);
    // Flows of neighbours, which go on whatever main's router is: those of far ones do what main says.
    const talkers: [Running, number][] = [];
    for (const [i, kind] of (['tcp', 'udp'] as const).entries())
      for (const [j, address] of (['10.0.1.1', 'fd01::1'] as const).entries()) {
        const port = 4300 + 2 * i + j;
        const command = probeCommand(kind, { address, port: ports[kind], localPort: port, talk: true });
        const running = lab.start('client', command);
        await running.waitFor(/^open$/m);
        t.regex(await ask(running), /^g1 /);
        talkers.push([running, port]);
      }
    const before = await Promise.all(talkers.map(([, port]) => known(lab, port)));
    t.deepEqual(
      before.map((lines) => lines.length),
      talkers.map(() => 1),
    );
    await lab.sh('client', does);
    for (const address of [far.v4, far.v6])
      await until(`${answers} answers`, async () => (await member.ask('tcp', address, 0.2)).who === answers, WITHIN);
    t.deepEqual(await Promise.all(talkers.map(([, port]) => known(lab, port))), before);
    for (const [talker] of talkers) t.regex(await ask(talker), /^g1 /);
    for (const [talker] of talkers) talker.stdin.end();
    for (const [talker] of talkers) await talker.done;
    await member.end();
    await kept(lab);
  });

// A game, WireGuard, SIP: what conntrack still knows of it leads to where it was.
test.serial("a flow of the group's own with a fixed port goes by the new router", async (t) => {
  const lab = await makeLab(t);
  const command = probeCommand('udp', { address: far.v4, localPort: 4310, talk: true, timeout: 0.2 });
  const talker = lab.start('client', [...launchWords(['%c1']), '--', ...command]);
  await talker.waitFor(/^open$/m);
  t.regex(await ask(talker), /^g1 /);
  await watched(lab);
  await lab.sh('client', 'ip route replace default via 10.0.1.3 dev c1');
  await until('g3 answers it', async () => (await ask(talker)).startsWith('g3 '), WITHIN);
  talker.stdin.end();
  await talker.done;
  await kept(lab);
});

for (const kind of ['tcp', 'udp'] as const)
  test.serial(`${kind}: somebody else's far flow goes on beside a link that comes and goes`, async (t) => {
    const lab = await makeLab(t);
    const member = await startMember(lab, ['10.0.2.1']);
    await watched(lab);
    const talker = await talk(lab, kind, 'v4', 4320);
    t.regex(await ask(talker), /^g1 /);
    for (let n = 0; n < 3; n++) {
      await lab.sh('client', 'ip link set c2 down; ip link set c2 up');
      await until('g2 answers', async () => (await member.ask('tcp', far.v4, 0.2)).who === 'g2', WITHIN);
      t.regex(await ask(talker), /^g1 /);
    }
    talker.stdin.end();
    await talker.done;
    await member.end();
    await kept(lab);
  });
