import test from 'ava';
import { watchOthers } from '../closed/other-path.js';
import { inGroup, startSender, type Product, type Sender } from '../closed/senders.js';
import type { Running } from '../helpers/exec.js';
import { seesAll, withClassic } from '../helpers/firewall.js';
import { answered, fresh, shielded, startDay, watched, WITHIN } from '../helpers/healing.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept } from '../helpers/left.js';
import { fixture, python } from '../helpers/paths.js';
import { sniff } from '../helpers/sniff.js';
import { far } from '../helpers/topology.js';

const everything = 'nft flush ruleset';

/** Starts a program in the group of g2 that sends as fast as it can. */
async function flood(lab: Lab, product: Product, address: string): Promise<Running> {
  const running = lab.start('client', inGroup(product, 'g2', [...python, fixture('flood.py'), address]));
  await running.waitFor(/^\d+ 0$/m);
  return running;
}

/** How many it tried to send since, whatever became of them. */
const tried = (running: Running, from: number): number =>
  [...running.stdout.slice(from).matchAll(/^(\d+) (\d+)$/gm)].reduce(
    (sum, [, sent, refused]) => sum + Number(sent) + Number(refused),
    0,
  );

// What the kernel says for a member counts as well: an answer whose address is not translated back meets no socket, and is
// reset by a packet of nobody's, which main would send.
for (const v of ['v4', 'v6'] as const)
  test.serial(`${v}: everything is flushed under a flood: nothing leaves by another path`, async (t) => {
    const day = await startDay(t);
    const flooding = await flood(day.lab, 'via', far[v]);
    await shielded(day.lab);
    for (let n = 0; n < 3; n++) {
      const from = flooding.stdout.length;
      await day.sh(everything);
      await day.mended();
      // So it went on all the while.
      await flooding.waitFor(/^[1-9]\d* 0$/m, { from, timeout: WITHIN });
      t.true(tried(flooding, from) > 500);
    }
    flooding.stdin.end();
    await flooding.done;
    await day.whole();
    await day.end();
  });

test.serial('a configuration that begins with a flush is loaded anew, again and again in one go', async (t) => {
  const day = await startDay(t);
  await shielded(day.lab);
  await day.sh(`for n in 1 2 3 4; do nft -f - <<'EOF'
flush ruleset
table inet site { chain input { type filter hook input priority 0; ct state established accept; }; }
EOF
  done`);
  await day.mended();
  await day.sh('nft delete table inet site');
  await day.mended();
  await day.whole();
  await day.end();
});

test.serial('everything is flushed, and the rules are deleted', async (t) => {
  const day = await startDay(t);
  await shielded(day.lab);
  await day.sh(`${everything}; ip rule del pref $P; ip -6 rule del pref $P6`);
  await day.mended();
  await day.whole();
  await day.end();
});

// The guard of iptables sees no next hop, so that g3 is none of its matters.
if (seesAll())
  test.serial('two groups: both are closed, and both are mended', async (t) => {
    const lab = await makeLab(t);
    const days: { gateway: 'g2' | 'g3'; sender: Sender }[] = [];
    for (const gateway of ['g2', 'g3'] as const) {
      const sender = await startSender(lab, (argv) => inGroup('via', gateway, argv));
      await sender.served(gateway);
      days.push({ gateway, sender });
    }
    await watched(lab);
    await shielded(lab, 2);
    // Main leads to g1, so nothing of either may get there.
    const capture = await sniff(
      lab,
      'g1',
      'eth0',
      `ether dst 02:00:00:00:01:01 and (host ${far.v4} or host ${far.v6})`,
    );
    await lab.sh('client', everything);
    for (const { gateway, sender } of days) await answered(sender, gateway, fresh(), WITHIN);
    t.deepEqual(await capture.stop(), []);
    for (const { sender } of days) await sender.end();
    await kept(lab);
  });

// It marks by the iptables of the machine, which a flush of nft's takes along.
if (withClassic())
  test.serial('the classic recipe leaks, from then on', async (t) => {
    const lab = await makeLab(t);
    const flooding = await flood(lab, 'classic', far.v4);
    const capture = await watchOthers(lab, 'g2', 4);
    const from = flooding.stdout.length;
    await lab.sh('client', everything);
    await flooding.waitFor(/(\d+ \d+\n){3}/, { from });
    flooding.stdin.end();
    await flooding.done;
    const leaked = (await capture.stop()).length;
    t.true(leaked > 100, `${leaked}`);
  });
