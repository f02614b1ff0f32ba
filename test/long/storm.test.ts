import test from 'ava';
import { cpuOf, familyOf } from '../helpers/family.js';
import { startDay, type Day } from '../helpers/healing.js';
import { until } from '../helpers/left.js';

/** Route changes a second, and for how many. */
const [rate, seconds] = [1000, 10];

/** By turns, or nothing would change: 200 destinations have one router, then the other. */
const change = (n: number): string =>
  `route replace 198.51.100.${n % 200}/32 via 10.0.1.${Math.floor(n / 200) % 2 ? 1 : 3}`;

/** What a routing daemon does, none of which is any matter of the group's; each line is a change. */
const storms: Record<string, (n: number) => string> = {
  "in somebody else's table": (n) => `${change(n)} table 4242`,
  'in main, to somewhere else': change,
  'in main, of a default route that is not the first': (n) =>
    `route ${n % 2 ? 'replace' : 'del'} default via 10.0.1.3 dev c1 metric 900`,
};

/** Feeds ip with so many changes in each tenth of a second; gives how many it has taken. */
async function storm(day: Day, line: (n: number) => string): Promise<number> {
  const running = day.lab.start('client', ['ip', '-force', '-batch', '-']);
  const each = rate / 10;
  let n = 0;
  const began = performance.now();
  for (let round = 1; round <= 10 * seconds; round++) {
    const lines = Array.from({ length: each }, () => line((n += 1)));
    running.write(`${lines.join('\n')}\n`);
    const left = began + round * 100 - performance.now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }
  running.stdin.end();
  await running.done;
  return n;
}

for (const [where, line] of Object.entries(storms))
  test.serial(`${rate} route changes a second ${where}: a second of CPU, and the right state`, async (t) => {
    const day = await startDay(t);
    const before = cpuOf(day.lab);
    t.true(familyOf(day.lab).length > 0, 'there is no keeper');
    const monitor = day.lab.start('client', ['ip', 'monitor', 'route']);
    t.is(await storm(day, line), rate * seconds);
    const heard = () => monitor.stdout.split('\n').length;
    await until('the changes were heard of', () => heard() > (rate * seconds) / 2, 10_000);
    monitor.kill();
    await monitor.done;
    await day.mended();
    await day.whole();
    const spent = cpuOf(day.lab) - before;
    t.log(`${spent.toFixed(2)} s`);
    t.true(spent <= 1, `${spent} s of CPU`);
    await day.end();
  });

test.serial('a deed in the middle of a storm is found, and mended', async (t) => {
  const day = await startDay(t);
  const storming = storm(day, change);
  await day.mended();
  await day.sh('ip rule del pref $P; ip -6 rule del pref $P6; ip route flush table $T');
  await day.mended();
  await storming;
  await day.whole();
  await day.end();
});
