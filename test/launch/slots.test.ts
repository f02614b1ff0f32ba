import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import { far } from '../helpers/topology.js';

interface RuleLine {
  priority: number;
  fwmark?: string;
  table: string;
  protocol?: string;
}

/** The numbers that a group of this gateway has, and who answers it. */
async function numbersOf(lab: Lab, gateway: string) {
  const classId = 'cat /run/via/net_cls/via-*/net_cls.classid /sys/fs/cgroup/net_cls/via-*/net_cls.classid';
  const script = `ip -N -j rule; ${classId} 2>/dev/null; curl -s -m2 ${far.v4}`;
  const [rules = '', id, answer] = (await lab.via([gateway, '--', 'sh', '-c', script])).stdout.split('\n');
  const ours = (JSON.parse(rules) as RuleLine[]).find(({ protocol }) => protocol === '118');
  if (ours?.fwmark === undefined) throw new Error('no rule of ours');
  return { preference: ours.priority, mark: ours.fwmark, table: ours.table, classId: id, answer: answer?.slice(0, 2) };
}

type Numbers = Awaited<ReturnType<typeof numbersOf>>;

/** What somebody else may use of the numbers of the first run. */
const uses: { name: string; script: (numbers: Numbers) => string; same?: boolean }[] = [
  { name: 'preference', script: ({ preference }) => `ip rule add pref ${preference} from 192.0.2.1 lookup main` },
  { name: 'preference, v6', script: ({ preference }) => `ip -6 rule add pref ${preference} from fd09::1 lookup main` },
  { name: 'mark', script: ({ mark }) => `ip rule add pref 900 fwmark ${mark}/0xff000000 lookup main` },
  { name: 'mark, v6', script: ({ mark }) => `ip -6 rule add pref 900 fwmark ${mark}/0xff000000 lookup main` },
  { name: 'mark, all its bits', script: ({ mark }) => `ip rule add pref 900 fwmark ${mark} lookup main` },
  {
    name: 'one bit of it',
    script: ({ mark }) => `ip rule add pref 900 fwmark ${lowest(mark)}/${lowest(mark)} lookup main`,
  },
  { name: 'table', script: ({ table }) => `ip route add 192.0.2.0/24 dev c1 table ${table}` },
  { name: 'table, v6', script: ({ table }) => `ip -6 route add fd09::/64 dev c1 table ${table}` },
  { name: 'table, named by a rule', script: ({ table }) => `ip rule add pref 900 from 192.0.2.1 lookup ${table}` },
  // Not in our way: these bits are not ours.
  { name: 'other bits', script: () => 'ip rule add pref 900 fwmark 0x1/0xffffff lookup main', same: true },
  { name: 'no bits of ours', script: () => 'ip rule add pref 900 fwmark 0/0xff000000 lookup main', same: true },
];

const lowest = (mark: string) => `0x${(Number(mark) & -Number(mark)).toString(16)}`;

test.serial('a mark, a table or a preference that somebody uses is skipped, and left alone', async (t) => {
  const lab = await makeLab(t);
  const first = await numbersOf(lab, '10.0.2.1');
  t.deepEqual(await numbersOf(lab, '10.0.2.1'), first, 'the numbers follow from the way out');
  for (const { name, script, same = false } of uses) {
    await lab.sh('client', script(first));
    const clean = await snapshot(lab);
    const second = await numbersOf(lab, '10.0.2.1');
    t.is(second.answer, 'g2', name);
    for (const what of ['preference', 'mark', 'table'] as const)
      t.is(second[what] === first[what], same, `${name}: ${what} ${first[what]} ${second[what]}`);
    t.deepEqual(diff(clean, await snapshot(lab)), [], name);
    await lab.sh('client', script(first).replace(' add ', ' del '));
  }
});

test.serial('a class id that somebody uses is skipped', async (t) => {
  const lab = await makeLab(t, { netCls: 'mounted' });
  const first = await numbersOf(lab, '10.0.2.1');
  const other = '/sys/fs/cgroup/net_cls/other/deep';
  await lab.sh('client', `mkdir -p ${other}; echo ${first.classId} >${other}/net_cls.classid`);
  const clean = await snapshot(lab);
  const second = await numbersOf(lab, '10.0.2.1');
  t.not(second.classId, first.classId);
  t.like(second, { mark: first.mark, answer: 'g2' });
  t.deepEqual(diff(clean, await snapshot(lab)), []);
});
