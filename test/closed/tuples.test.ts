import test from 'ava';
import { withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { probe, type Runner } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import type { Gateway } from '../helpers/topology.js';
import { track, watchOthers } from './other-path.js';
import { bothOf, inGroup, type Product } from './senders.js';

const families = [4, 6] as const;
/** One port for all (for ping, one identifier), so that conntrack knows the flow of whoever had it before. */
const localPort = 5000;

type Way = Gateway | 'main';

/** A flow goes from one way out to the next; what conntrack remembers of the one before is not believed. */
const walks: { walk: Way[]; used: boolean }[] = [
  { walk: ['main', 'g2', 'main', 'g3', 'main'], used: false },
  { walk: ['g2', 'g3', 'g2', 'main', 'g3'], used: false },
  { walk: ['g2', 'g3', 'main', 'g3', 'g2'], used: true },
];

const kinds = [
  { name: 'UDP', kind: 'udp', options: {} },
  { name: 'UDP without a connection', kind: 'udp', options: { unconnected: true } },
  { name: 'TCP', kind: 'tcp', options: {} },
  { name: 'ping', kind: 'ping', options: {} },
] as const;

for (const { walk, used } of walks)
  for (const { name, kind, options } of kinds)
    test.serial(`${name}: ${walk.join(', ')}${used ? ', all groups in use' : ''}`, async (t) => {
      const lab = await makeLab(t);
      await lab.sh('client', track);
      const held = used ? [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))] : [];
      for (const family of families)
        for (const way of walk) {
          const capture = way === 'main' ? undefined : await watchOthers(lab, way, family);
          const seen = await probe(runnerBy(lab, way), kind, family, { localPort, ...options });
          const what = `v${family}: ${JSON.stringify(seen)}`;
          t.is(seen.gateway, way === 'main' ? 'g1' : way, what);
          // Others send as before, from the port that they chose.
          if (way === 'main' && kind !== 'ping') t.is(seen.port, localPort, what);
          if (capture) t.deepEqual(await capture.stop(), []);
        }
      for (const one of held) await one.release();
    });

function runnerBy(lab: Lab, way: Way, product: Product = 'via'): Runner {
  const words = (argv: string[]) => (argv[0] === 'ping' ? ['ping', '-e', String(localPort), ...argv.slice(1)] : argv);
  return (argv) => lab.run('client', way === 'main' ? words(argv) : inGroup(product, way, words(argv)));
}

// It looks at every packet by itself, and at no connection.
if (withClassic())
  test.serial('the classic recipe has no memory either', async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', track);
    for (const way of ['main', 'g3', 'main'] as const) {
      const seen = await probe(runnerBy(lab, way, 'classic'), 'udp', 4, { localPort });
      t.is(seen.gateway, way === 'main' ? 'g1' : way);
    }
  });
