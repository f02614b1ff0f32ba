import test, { type ExecutionContext } from 'ava';
import { watchOthers } from '../closed/other-path.js';
import { guarded, seesAll } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { gateways, type Gateway } from '../helpers/topology.js';
import { iptables, isNoTable, nft, nftTable, type Foreign } from './foreign.js';

const variants = ['nft', 'legacy'] as const;

/** All that comes and goes is in one zone. With iptables, UDP may get no answer then (CAVEATS). */
const everything: readonly Foreign[] = [
  {
    name: 'nft, a zone for all',
    ...nftTable([
      ['filter prerouting -300', 'ct zone set 5'],
      ['filter output -300', 'ct zone set 5'],
    ]),
    served: true,
  },
  ...variants.map((variant) => iptables(variant, ['raw PREROUTING -j CT --zone 5', 'raw OUTPUT -j CT --zone 5'])),
];

/** What comes in by one device is in a zone of its own, where nothing is known of what was sent before it was routed. */
const ofDevice = (device: string): readonly Foreign[] => [
  nft('filter prerouting -300', `iifname "${device}" ct zone set 5`, false),
  ...variants.map((variant) => iptables(variant, [`raw PREROUTING -i ${device} -j CT --zone 5`], false)),
];

/** A group beside each of these is served, or closed. */
async function besideZones(t: ExecutionContext, gateway: Gateway, all: readonly Foreign[]): Promise<void> {
  const lab = await makeLab(t);
  const pair = `${gateways[gateway].v4},${gateways[gateway].v6}`;
  for (const { name, makes, removes, served } of all) {
    await lab.sh('client', `${makes}\n${removes}\n${makes}`);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, pair);
      const capture = await watchOthers(lab, gateway);
      for (const family of [4, 6] as const)
        for (const kind of ['tcp', 'udp'] as const) {
          const seen = await probe(by(lab, pair), kind, family, { timeout: served ? 1 : 0.3 });
          const expected = served ? gateway : null;
          // With iptables it depends on who was first whether UDP gets an answer.
          if (expected === null || seesAll() || kind === 'tcp' || seen.gateway !== null)
            t.is(seen.gateway, expected, `${name}: ${kind} v${family}`);
        }
      t.deepEqual(await capture.stop(), [], name);
      t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1', name);
      await held.release();
    });
    t.deepEqual(left.filter(isNoTable), [], name);
    await lab.sh('client', removes);
  }
}

for (const gateway of guarded()) {
  test.serial(`${gateway}: beside a zone of somebody's for all`, (t) => besideZones(t, gateway, everything));
  if (gateway !== 'g3')
    test.serial(`${gateway}: beside a zone of somebody's for what comes in by its device`, (t) =>
      besideZones(t, gateway, ofDevice(gateways[gateway].device)),
    );
}
