import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { bothOf, startSender, type Sender } from '../closed/senders.js';
import { builtins } from '../helpers/iptables.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { quiet } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { probe } from '../helpers/probes.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import type { Gateway } from '../helpers/topology.js';

/** A way out and what marks it. The guard of iptables cannot tell g3 from g1, which are on one link. */
const ways: readonly (readonly [Gateway, 'nft' | 'iptables'])[] = [
  ['g2', 'nft'],
  ['g3', 'nft'],
  ['g4', 'nft'],
  ['g2', 'iptables'],
  ['g4', 'iptables'],
];

/** What somebody else adds, and takes away again. */
const foreign: Record<string, { add: string; remove: string }> = {
  'a rule ahead of ours': {
    add: 'for f in -4 -6; do ip $f rule add pref 300 lookup main; done',
    remove: 'for f in -4 -6; do ip $f rule del pref 300; done',
  },
  'rules without a preference, as of a VPN': {
    add: 'for f in -4 -6; do ip $f rule add not fwmark 0xca6c table 51820; done; ip route add default dev c1 table 51820',
    remove: 'for f in -4 -6; do ip $f rule del not fwmark 0xca6c table 51820; done; ip route flush table 51820',
  },
  notrack: {
    add: `nft 'table inet foreign1 { chain o { type filter hook output priority -300; notrack; }; }'`,
    remove: 'nft delete table inet foreign1',
  },
  'the mark saved and restored, whole': {
    add: `nft 'table inet foreign2 { chain i { type filter hook prerouting priority -100; meta mark set ct mark; }; chain o { type filter hook postrouting priority -100; ct mark set meta mark; }; }'`,
    remove: 'nft delete table inet foreign2',
  },
  'a bit in every mark': {
    add: 'for t in iptables ip6tables; do $t -t mangle -A OUTPUT -j MARK --or-mark 0x40; done',
    remove: 'for t in iptables ip6tables; do $t -t mangle -D OUTPUT -j MARK --or-mark 0x40; done',
  },
};

type Step =
  | { readonly do: 'launch' | 'join'; readonly way: number }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'foreign'; readonly what: string };

const start = (kind: 'launch' | 'join') => fc.record({ do: fc.constant(kind), way: fc.nat(ways.length - 1) });

const step: fc.Arbitrary<Step> = fc.oneof(
  start('launch'),
  start('join'),
  fc.record({ do: fc.constant('leave' as const), which: fc.nat(2) }),
  fc.record({ do: fc.constant('foreign' as const), what: fc.constantFrom(...Object.keys(foreign)) }),
);

const sequence = (length: number) =>
  fc
    .tuple(start('launch'), fc.array(step, { minLength: Math.ceil(length / 2), maxLength: length }))
    .map(([first, others]): Step[] => [first, ...others]);

/** Runs sequences of steps; after each, every group is served by its gateway or by nobody, and all ends as it began. */
export async function walkSequences(t: ExecutionContext, runs: number, length: number): Promise<void> {
  const lab = await makeLab(t, { tun: true });
  await lab.sh('client', builtins);
  const before = await snapshot(lab);
  let steps = 0;
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(sequence(length), async (list) => {
      const users: { sender: Sender; gateway: Gateway }[] = [];
      const there = new Set<string>();
      try {
        for (const one of list) {
          steps += 1;
          await take(t, lab, one, users, there);
          for (const { sender, gateway } of users) {
            const who = [...(await sender.rounds(6)).values()].flatMap((names) => [...names]);
            answers += who.length;
            t.deepEqual(
              [...new Set(who)].filter((name) => name !== gateway),
              [],
            );
          }
        }
      } finally {
        for (const { sender } of users) await sender.end();
        for (const what of there) await lab.sh('client', foreign[what]!.remove);
      }
      await quiet(lab);
      t.deepEqual(diff(before, await snapshot(lab)), []);
    }),
    { numRuns: runs, endOnFailure: true },
  );
  t.log(`${steps} steps in ${runs} sequences, ${answers} answers`);
  t.true(answers > 20 * runs, 'too few answers to say anything');
}

async function take(
  t: ExecutionContext,
  lab: Lab,
  one: Step,
  users: { sender: Sender; gateway: Gateway }[],
  there: Set<string>,
): Promise<void> {
  if (one.do === 'foreign') {
    const { add, remove } = foreign[one.what]!;
    await lab.sh('client', there.has(one.what) ? remove : add);
    if (!there.delete(one.what)) there.add(one.what);
  } else if (one.do === 'leave') {
    const [user] = users.splice(one.which, 1);
    await user?.sender.end();
  } else {
    const [gateway, firewall] = ways[one.way]!;
    const via = (argv: string[]) => [viaBin, `--firewall=${firewall}`, bothOf(gateway), '--', ...argv];
    if (one.do === 'launch' && users.length < 3) users.push({ sender: await startSender(lab, via), gateway });
    else {
      const seen = await probe((argv) => lab.run('client', via(argv)), 'udp', 4, { timeout: 0.3 });
      t.true(seen.gateway === gateway || seen.gateway === null, `${gateway}: ${seen.gateway}`);
    }
  }
}
