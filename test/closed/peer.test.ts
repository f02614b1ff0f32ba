import test from 'ava';
import { guarded, withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { killKeepers } from '../helpers/keepers.js';
import { until } from '../helpers/left.js';
import { fixture, python } from '../helpers/paths.js';
import { outside, probe } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { sniff, type Sniffer } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';
import { families, moved, ports } from './moved.js';
import { stopped, track } from './other-path.js';
import { bothOf, inGroup } from './senders.js';

for (const kind of ['tcp', 'udp'] as const)
  for (const gateway of ['g2', 'g3'] as const)
    for (const family of families)
      test.serial(
        `${gateway}: the peer of a connected ${kind} socket sends by main's line, IPv${family}`,
        async (t) => {
          const lab = await makeLab(t);
          await lab.sh('client', track);
          for (const used of [false, true]) {
            // A group of main's own router answers by it what came by it.
            const held = used ? await hold(lab, bothOf('g1')) : undefined;
            const { answer, leaked } = await moved(t, lab, 'via', { gateway, kind, family });
            t.deepEqual(leaked, []);
            t.regex(answer, new RegExp(`^${gateway}\\b`));
            await held?.release();
          }
        },
      );

if (withClassic())
  for (const kind of ['tcp', 'udp'] as const)
    test.serial(`the peer of a connected ${kind} socket sends by main's line while our table is gone`, async (t) => {
      const lab = await makeLab(t);
      await lab.sh('client', track);
      for (const family of families) {
        const held = await hold(lab, bothOf('g2'));
        await until('the second guard is there', async () => {
          const { code } = await lab.run('client', ['nft', 'list', 'table', 'inet', 'via_guard']);
          return code === 0;
        });
        const keepers = lab.keepers();
        const { leaked } = await moved(t, lab, 'via', { gateway: 'g2', kind, family }, async () => {
          // Nothing is put right meanwhile.
          for (const { pid } of keepers) process.kill(pid, 'SIGSTOP');
          await lab.sh('client', 'nft delete table inet via');
        });
        for (const { pid } of keepers) process.kill(pid, 'SIGCONT');
        t.deepEqual(leaked, []);
        await held.release();
        await until('the keeper has ended', () => lab.keepers().length === 0);
      }
    });

// The classic recipe marks each packet by its class, and so has no such leak; the control is via without these rules.
if (withClassic())
  for (const kind of ['tcp', 'udp'] as const)
    test.serial(`without the rules for what arrives, the peer of a connected ${kind} socket moves it`, async (t) => {
      const lab = await makeLab(t);
      await lab.sh('client', track);
      for (const family of families) {
        const { leaked } = await moved(t, lab, 'via', { gateway: 'g2', kind, family }, async () => {
          await killKeepers(lab);
          // Of TCP the second line marks what it cannot know.
          const what = kind === 'tcp' ? 'chain inet via arrive' : 'map inet via receive_of_class';
          await lab.sh('client', `nft flush ${what}`);
        });
        t.not(leaked.length, 0);
      }
    });

test.serial('a server inside still answers a connected client of main by main', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', track);
  const server = lab.start('client', [
    ...inGroup('via', 'g2', [process.execPath, fixture('server.mjs'), 'inside', client.c1.v4, client.c1.v6]),
  ]);
  await server.waitFor(/^ready/m);
  for (const family of families)
    for (const kind of ['tcp', 'udp'] as const) {
      const v = `v${family}` as const;
      const question = { address: client.c1[v], port: 7000, local: far[v] };
      t.is((await probe(outside(lab, 'g1'), kind, family, question)).gateway, 'inside');
    }
  server.stdin.end();
  server.kill('SIGINT');
  await server.done;
});

test.serial('a member receives multicast by the line where it has joined the group', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', track);
  const receive = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); s.bind(("239.1.2.3", 5353))
s.setsockopt(0, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.1.2.3") + socket.inet_aton("${client.c1.v4}"))
print("open", flush=True); print(s.recv(100).decode(), flush=True)`;
  const send = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("${far.v4}", 0))
s.setsockopt(0, socket.IP_MULTICAST_IF, socket.inet_aton("10.0.1.1")); s.sendto(b"heard", ("239.1.2.3", 5353))`;
  const member = lab.start('client', inGroup('via', 'g2', [...python, '-c', receive]));
  await member.waitFor(/^open$/m);
  await lab.run('g1', [...python, '-c', send]);
  t.regex((await member.done).stdout, /^heard$/m);
});

for (const gateway of guarded())
  test.serial(
    `${gateway}: an outside program uses the ends of a SYN of a member that was never answered`,
    async (t) => {
      const lab = await makeLab(t);
      await lab.sh('client', track);
      const deaf = `nft 'table inet deaf { chain input { type filter hook input priority 0; tcp dport 7000 drop; }; }'`;
      await lab.sh(gateway, deaf);
      const held = await hold(lab, bothOf(gateway));
      for (const family of families) {
        const ends = { localPort: ports.member, timeout: 0.3 };
        const inside = (argv: string[]) => lab.run('client', inGroup('via', gateway, argv));
        t.is((await probe(inside, 'tcp', family, ends)).error, 'ETIMEDOUT');
        const capture = await watchGroup(lab, gateway, family);
        const seen = await probe(outside(lab), 'tcp', family, { ...ends, timeout: 4 });
        t.is(seen.gateway, 'g1', JSON.stringify(seen));
        t.is(seen.source, client.c1[`v${family}`]);
        t.deepEqual(await capture.stop(), []);
      }
      t.is(await stopped(lab), 0);
      await held.release();
    },
  );

/** Captures what the client sends to the far address by this gateway. */
const watchGroup = (lab: Lab, gateway: 'g2' | 'g3', family: 4 | 6): Promise<Sniffer> => {
  const [own, router] = gateway === 'g2' ? ['02:02', '02:01'] : ['01:02', '01:03'];
  const host = `host ${far[`v${family}`]}`;
  return sniff(lab, gateway, 'eth0', `ether src 02:00:00:00:${own} and ether dst 02:00:00:00:${router} and ${host}`);
};
