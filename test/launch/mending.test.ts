import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { outside, probe, probeAll, type Asked } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { diff, snapshot, type Snapshot } from '../helpers/snapshot.js';

const both = '10.0.2.1,fd02::1';
const asked: Asked[] = [
  ['tcp', 4],
  ['tcp', 6],
  ['udp', 4],
];

/** What somebody may do to a group in use: $T is its table, $P its preference, $S its slot, $C its class id. */
const damages: Record<string, string> = {
  'the rule is gone': 'ip rule del pref $P',
  'the rule of v6 is gone': 'ip -6 rule del pref $P',
  'the table is empty':
    'ip route flush table $T; ip -6 route flush table $T; ip -6 route del unreachable default table $T',
  'the link was down': `ip link set c2 down; ip link set c2 up
    ip -6 address add fd02::2/64 dev c2; ip -6 address add fe80::2:2/64 dev c2`,
  'the default route is gone': 'ip route del default via 10.0.2.1 table $T',
  'the last route is gone': 'ip route del unreachable default table $T metric 4294967295',
  'a LAN is gone': 'ip route del 10.0.1.0/24 table $T',
  'another next hop': 'ip route change default via 10.0.2.9 dev c2 onlink table $T proto 118',
  'one more route of ours': 'ip route add 203.0.113.0/24 via 10.0.1.1 table $T proto 118',
  'our table of nft is gone': 'nft delete table inet via',
  'everything of nft is gone': 'nft flush ruleset',
  'all rules are gone': 'nft flush table inet via',
  'a chain is empty': 'nft flush chain inet via new_$S',
  'a base chain is empty': 'nft flush chain inet via classify',
  'an element is gone': 'nft delete element inet via classes { $C }',
  'an element of a map is gone': 'nft delete element inet via new_of_class { $C }',
  'a network is no LAN any more': `nft 'delete element inet via lan4 { "c1" . 10.0.1.0/24 }'`,
  'one more LAN': `nft 'add element inet via lan4 { "c1" . 203.0.113.0/24 }'`,
  'one more rule': 'nft insert rule inet via guard_$S accept',
  'one more rule, with a comment': `nft 'insert rule inet via guard accept comment "mine"'`,
  'one more chain': 'nft add chain inet via mine',
  'src_valid_mark is as before': 'echo 0 >/proc/sys/net/ipv4/conf/c2/src_valid_mark',
  'its record is gone': 'rm /run/via/group-*',
  'its record is cut off': 'for f in /run/via/group-*; do head -c 20 $f >/run/x; cat /run/x >$f; rm /run/x; done',
};

/** A script with the numbers of the one group there is. */
async function withNumbers(lab: Lab, script: string): Promise<string> {
  const rules = JSON.parse(await lab.sh('client', 'ip -N -j rule')) as {
    priority: number;
    table: string;
    protocol?: string;
  }[];
  const rule = rules.find(({ protocol }) => protocol === '118');
  const classId = await lab.sh('client', 'cat /run/via/net_cls/via-*/net_cls.classid');
  if (rule === undefined) throw new Error('no rule of ours');
  return `T=${rule.table} P=${rule.priority} S=${rule.priority - 500} C=${classId.trim()}; ${script}`;
}

/** The order in which things are listed says when they were made, not what they are. */
const unordered = ({ nft = '', ...rest }: Snapshot): Snapshot => ({
  ...rest,
  nft: nft
    .replaceAll(/elements = |[{},]/g, '')
    .split('\n')
    .map((line) => line.trim())
    .sort()
    .join('\n'),
});

/** All but the root group's list, which is that of the processes that look, and what was written down of its being in order. */
const changed = (before: Snapshot, after: Snapshot) =>
  diff(unordered(before), unordered(after)).filter(
    (line) => !/net_cls\/(tasks|cgroup\.procs)$|\/run\/via\/(mends|intact)-|the same lines in another order/.test(line),
  );

test.serial('what is missing or changed of a group in use is mended by the next launch', async (t) => {
  const lab = await makeLab(t, { rpFilter: { c2: 1 } });
  const clean = await snapshot(lab);
  const held = await hold(lab, both);
  const whole = await snapshot(lab);
  for (const [name, script] of Object.entries(damages)) {
    await lab.sh('client', await withNumbers(lab, script));
    t.not(changed(whole, await snapshot(lab)).length, 0, name);
    t.deepEqual(new Set(Object.values(await probeAll(by(lab, both), asked))), new Set(['g2']), name);
    t.deepEqual(changed(whole, await snapshot(lab)), [], name);
  }
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
  t.is((await held.release()).code, 0);
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});

test.serial('and by the launch of another group', async (t) => {
  const lab = await makeLab(t, { rpFilter: { c2: 1 }, servers: false });
  const clean = await snapshot(lab);
  const held = await hold(lab, both);
  const whole = await snapshot(lab);
  // Only who asks for it knows what its record says.
  for (const [name, script] of Object.entries(damages).filter(([one]) => !/record/.test(one))) {
    await lab.sh('client', await withNumbers(lab, script));
    t.is((await lab.via(['10.0.1.3', '--', 'true'])).code, 0);
    t.deepEqual(changed(whole, await snapshot(lab)), [], name);
  }
  t.is((await held.release()).code, 0);
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});
