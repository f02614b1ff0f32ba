import test from 'ava';
import type { Running } from '../helpers/exec.js';
import { makeLab } from '../helpers/lab.js';
import { guarded, launchWords, unmark } from '../helpers/firewall.js';
import { probeCommand } from '../helpers/probes.js';
import { sniff } from '../helpers/sniff.js';
import { gateways } from '../helpers/topology.js';
import { stopped, watchOthers } from './other-path.js';
import { bothOf, inGroup, startSender } from './senders.js';

/** Nothing leads to the group's table any more. */
const withoutRule = `P=$(ip -N rule | sed -n 's/^\\([0-9]*\\):.* fwmark .*/\\1/p')
  ip rule del pref $P; ip -6 rule del pref $P`;

const events = {
  'the rule is deleted': withoutRule,
  'the marking is deleted, and the rule': `${unmark()}\n${withoutRule}`,
};

// A family without a gateway is as closed as the other: it is refused, and whatever is not refused is stopped.
for (const gateway of guarded())
  for (const v of ['v4', 'v6'] as const)
    for (const [name, event] of Object.entries(events))
      test.serial(`${gateway} in ${v} only: ${name}`, async (t) => {
        const lab = await makeLab(t);
        const sender = await startSender(lab, (argv) => inGroup('via', gateway, argv, [gateways[gateway][v]]));
        const capture = await watchOthers(lab, gateway);
        const families = new Set([...(await sender.rounds(20)).keys()].map((kind) => `v${kind.at(-1)}`));
        t.deepEqual([...families], [v]);
        const before = await stopped(lab);
        await lab.sh('client', event);
        await sender.rounds(20);
        t.true((await stopped(lab)) > before);
        t.deepEqual(await capture.stop(), []);
        await sender.end();
      });

// A device without a next hop: the guard has nothing but its name to go by. And the same device by an address.
const down = { 'the device is down': 'ip link set tun0 down' };
for (const [words, happening] of [
  [['tun0'], { ...events, ...down }],
  [[bothOf('g4')], down],
] as const)
  for (const [name, event] of Object.entries(happening))
    test.serial(`${words.join(' ')}: ${name}`, async (t) => {
      const lab = await makeLab(t, { tun: true });
      const sender = await startSender(lab, (argv) => inGroup('via', 'g4', argv, [...words]));
      await sender.served('g4');
      const capture = await watchOthers(lab, 'g4');
      await lab.sh('client', event);
      await sender.rounds(20);
      t.deepEqual(await capture.stop(), []);
      await sender.end();
    });

test.serial('--no-lan: neighbours are no exception, with and without the rule', async (t) => {
  const lab = await makeLab(t);
  const command = probeCommand('udp', { address: gateways.g3.v4, talk: true, timeout: 0.1 });
  const talker = lab.start('client', [...launchWords(['--no-lan', bothOf('g2')]), '--', ...command]);
  await talker.waitFor(/^open$/m);
  const capture = await sniff(lab, 'client', 'c1', `host ${gateways.g3.v4} and udp port 7000`);
  await ask(talker);
  await lab.sh('client', withoutRule);
  await ask(talker);
  t.deepEqual(await capture.stop(), []);
  talker.stdin.end();
  await talker.done;
});

/** Has a probe that talks ask once, and waits for what comes of it. */
async function ask(talker: Running): Promise<void> {
  const from = talker.stdout.length;
  talker.write('who\n');
  await talker.waitFor(/^(E[A-Z]+|g\d .*)$/m, { from });
}
