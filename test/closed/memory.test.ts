import test, { type ExecutionContext } from 'ava';
import { ports, serveOutside } from '../helpers/clients.js';
import { guarded } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { outside, probe, type Runner } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { client, far, type Gateway } from '../helpers/topology.js';
import { stopped, track, watchOthers } from './other-path.js';
import { bothOf, inGroup } from './senders.js';

const families = [4, 6] as const;
const others = { g2: 'g3', g3: 'g2' } as const;
const inGroupOf =
  (lab: Lab, gateway: Gateway): Runner =>
  (argv) =>
    lab.run('client', inGroup('via', gateway, argv));

for (const gateway of ['g2', 'g3'] as const) {
  for (const used of guarded().includes(gateway) ? [false, true] : [])
    test.serial(
      `${gateway}${used ? ' in use' : ''}: a flow that the other end began with somebody outside`,
      async (t) => {
        const lab = await makeLab(t);
        await lab.sh('client', track);
        const held = used ? await hold(lab, bothOf(gateway)) : undefined;
        for (const family of families) {
          const v = `v${family}` as const;
          const peer = 6000;
          const server = await serveOutside(lab);
          const question = { address: client.c1[v], port: ports.bystander, local: far[v], localPort: peer };
          t.is((await probe(outside(lab, 'g1'), 'udp', family, question)).gateway, 'bystander');
          server.kill();
          await server.done;
          const capture = await watchOthers(lab, gateway, family);
          const answer = { port: peer, localPort: ports.bystander, timeout: 0.1 };
          t.is((await probe(inGroupOf(lab, gateway), 'udp', family, answer)).error, 'EPERM');
          t.deepEqual(await capture.stop(), []);
        }
        if (held) t.true((await stopped(lab)) >= families.length);
        await held?.release();
      },
    );

  test.serial(`${gateway}: a TCP connection of main's that conntrack takes for open`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', track);
    for (const family of families) {
      const v = `v${family}` as const;
      const flow = `-p tcp -s ${client.c1[v]} -d ${far[v]} --sport 5000 --dport 7000`;
      await lab.sh('client', `conntrack -I ${flow} --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 300`);
    }
    await connectOnce(t, lab, gateway);
  });

  for (const before of ['main', others[gateway]] as const)
    test.serial(`${gateway}: a TCP connection by ${before} that was never answered`, async (t) => {
      const lab = await makeLab(t);
      await lab.sh('client', track);
      const held = [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))];
      const router = before === 'main' ? 'g1' : before;
      await lab.sh(
        router,
        "nft 'table inet deaf { chain input { type filter hook input priority 0; tcp dport 7000 drop; }; }'",
      );
      const runner = before === 'main' ? outside(lab) : inGroupOf(lab, before);
      for (const family of families) {
        const seen = await probe(runner, 'tcp', family, { localPort: 5000, timeout: 0.2 });
        t.is(seen.error, 'ETIMEDOUT');
      }
      await connectOnce(t, lab, gateway);
      for (const one of held) await one.release();
    });
}

/** It is answered where the entry that is there does for this way too; what matters is which way it goes. */
async function connectOnce(t: ExecutionContext, lab: Lab, gateway: Gateway): Promise<void> {
  for (const family of families) {
    const capture = await watchOthers(lab, gateway, family);
    const seen = await probe(inGroupOf(lab, gateway), 'tcp', family, { localPort: 5000, timeout: 0.3 });
    t.true([gateway, null].includes(seen.gateway as Gateway | null), JSON.stringify(seen));
    t.deepEqual(await capture.stop(), []);
  }
}
