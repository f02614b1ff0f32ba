import test from 'ava';
import { guarded } from '../helpers/firewall.js';
import { startDay, WITHIN, type Day } from '../helpers/healing.js';
import { until } from '../helpers/left.js';

const both = (words: string): string => `ip ${words}; ip -6 ${words}`;

const flushed = `ip route flush table $T; ip -6 route flush table $T
  ip -6 route del unreachable default table $T metric 4294967295 2>/dev/null || :`;

/** What others do to our rules and routes; the kernel tells of each. */
const damages: Record<string, string> = {
  'the table is flushed': flushed,
  'the rules are deleted': 'ip rule del pref $P; ip -6 rule del pref $P6',
  'the rule of IPv4 is deleted': 'ip rule del pref $P',
  'the rule of IPv6 is deleted': 'ip -6 rule del pref $P6',
  'neither rules nor table': `ip rule del pref $P; ip -6 rule del pref $P6; ${flushed}`,
  'the default route is deleted': both('route del default table $T proto 118'),
};

for (const gateway of guarded())
  for (const [what, script] of Object.entries(damages))
    test.serial(`${gateway}: ${what}`, async (t) => {
      const day = await startDay(t, { gateway });
      await day.sh(script);
      await day.mended();
      await day.whole();
      await day.end();
    });

test.serial(
  "somebody else's default route is in the place of ours: what is not ours stays, and nothing leaves by it",
  async (t) => {
    const day = await startDay(t);
    await day.sh('ip route del default table $T proto 118; ip route add default via 10.0.1.1 table $T');
    await day.sender.rounds(50);
    t.regex(await day.lab.sh('client', 'ip route show table all'), /^default via 10\.0\.1\.1 dev c1 table \d+ *$/m);
    await day.sh('ip route del default via 10.0.1.1 table $T');
    await day.mended();
    await day.whole();
    await day.end();
  },
);

test.serial('it is mended again and again, as long as nobody insists', async (t) => {
  const day = await startDay(t);
  for (let n = 0; n < 2; n++) {
    await day.sh('ip rule del pref $P; ip -6 rule del pref $P6');
    await day.mended();
    await day.whole();
  }
  await day.end();
});

/** The preferences of our rules that lead to a group's table. */
async function preferences(day: Day): Promise<number[]> {
  const rules = await day.lab.sh('client', 'ip -N rule; ip -6 -N rule');
  return [...rules.matchAll(/^(\d+):.* lookup \d+ proto 118/gm)].map(([, preference]) => Number(preference));
}

for (const gateway of guarded())
  for (const [what, rule] of [
    ['a rule ahead of ours', 'rule add pref 100 lookup main'],
    // The kernel puts it ahead of the lowest that there is.
    ['a rule without a preference', 'rule add lookup main'],
  ] as const)
    test.serial(`${gateway}: ${what}`, async (t) => {
      const day = await startDay(t, { gateway });
      await day.sh(both(rule));
      await day.mended();
      const [now, foreign] = [await preferences(day), await day.lab.sh('client', 'ip -N rule; ip -6 -N rule')];
      t.true(Math.min(...now) > 0, `${now}`);
      // It is not ours to take away.
      t.is(foreign.match(/^(?!0:|3276[67]:)\d+:\s+from all lookup 254 *$/gm)?.length, 2, foreign);
      await day.sh(both(rule.replace('add', 'del')));
      await day.mended();
      await day.end();
    });

test.serial('rules without a preference, one after the other: no race to the lowest', async (t) => {
  const day = await startDay(t);
  const before = await preferences(day);
  for (let n = 1; n <= 2; n++) {
    await day.sh(both('rule add lookup main'));
    await day.mended();
  }
  const now = await preferences(day);
  t.is(now.length, before.length, `${now}`);
  // Below the room that is left for others nobody of ours has to be; whoever comes next has a place too.
  t.true(Math.min(...now) > 1, `${now}`);
  await day.end();
});

test.serial('no room ahead of a rule: no race, and nothing leaves by it', async (t) => {
  const day = await startDay(t);
  await day.sh(both('rule add pref 1 lookup main'));
  // Whether there is a way out of this is not said; but what was ours stays in order, and nobody gets preference 0.
  await until('somebody could have mended it', () => false, WITHIN).catch(() => {});
  const now = await preferences(day);
  t.true(Math.min(...now) > 0, `${now}`);
  await day.sh(both('rule del pref 1'));
  await day.mended();
  await day.whole();
  await day.end();
});
