import test from 'ava';
import type { Running } from '../helpers/exec.js';
import { makeLab } from '../helpers/lab.js';
import { probeCommand } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { client, far } from '../helpers/topology.js';
import { families, moved, ports } from './moved.js';
import { track } from './other-path.js';
import { bothOf } from './senders.js';

for (const used of [false, true]) {
  const where = used ? ' by a router with a group' : ' by main';
  for (const kind of ['tcp', 'udp'] as const) {
    for (const gateway of ['g2', 'g3'] as const)
      test.serial(`${gateway}: without early demultiplexing, the peer of a ${kind} socket sends${where}`, async (t) => {
        const lab = await makeLab(t);
        await lab.sh('client', `${track}; echo 0 >/proc/sys/net/ipv4/ip_early_demux`);
        const held = used ? await hold(lab, bothOf('g1')) : undefined;
        const { leaked } = await moved(t, lab, 'via', { gateway, kind, family: 4 });
        // As CAVEATS of the manual page says: of UDP nothing tells the two kinds of socket apart then.
        if (kind === 'tcp') t.deepEqual(leaked, []);
        else t.not(leaked.length, 0);
        await held?.release();
      });

    // Early demultiplexing looks for a socket only if the transport header follows the IPv6 header (ip6_rcv_finish_core).
    for (const gateway of ['g2', 'g3'] as const)
      test.serial(`${gateway}: behind a header of options, the peer of a ${kind} socket sends${where}`, async (t) => {
        const lab = await makeLab(t);
        await lab.sh('client', track);
        const held = used ? await hold(lab, bothOf('g1')) : undefined;
        const { leaked } = await moved(t, lab, 'via', { gateway, kind, family: 6, padded: true });
        t.deepEqual(leaked, []);
        await held?.release();
      });
  }
}

for (const family of families)
  test.serial(`the peer moves a connected udp socket whose port a later socket shares, IPv${family}`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', track);
    const v = `v${family}` as const;
    const words = { address: far[v], port: 7009, local: client.c1[v], localPort: ports.member, talk: true };
    const others: Running[] = [];
    const { leaked } = await moved(t, lab, 'via', { gateway: 'g2', kind: 'udp', family }, async () => {
      const other = lab.start('client', probeCommand('udp', words));
      await other.waitFor(/^open$/m);
      others.push(other);
    });
    // Early demultiplexing finds the latest socket only (__udp4_lib_demux_lookup). CAVEATS of the manual page says so.
    t.not(leaked.length, 0);
    for (const other of others) {
      other.stdin.end();
      await other.done;
    }
  });
