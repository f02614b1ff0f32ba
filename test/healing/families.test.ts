import test from 'ava';
import { watched, WITHIN } from '../helpers/healing.js';
import { settled } from '../helpers/keepers.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { startMember, type Member } from '../helpers/member.js';
import { far } from '../helpers/topology.js';

interface Shown {
  state: string;
  why: string;
}

/** What `via status` says of each group. */
async function states(lab: Lab): Promise<string[]> {
  const { groups } = JSON.parse((await lab.via(['status', '--json'])).stdout) as { groups: Shown[] };
  return groups.map(({ state, why }) => (why === '' ? state : `${state}: ${why}`));
}

const said = ({ running }: Member, count: number): Promise<void> =>
  until(`${count} lines`, () => running.stderr.split('\n').length > count, WITHIN).catch((error: Error) => {
    throw new Error(`${error.message}; so far: ${running.stderr}`);
  });

const v4Lost =
  'via: gateway c1: lost: IPv4: no default route is known on c1 (nothing of IPv4 leaves until it is back)\n';

test.serial(
  'a device loses the default route of one family: it is said of that one, and once that it is back',
  async (t) => {
    const lab = await makeLab(t);
    const member = await startMember(lab, ['c1']);
    await watched(lab);
    await lab.sh('client', 'ip route del default');
    await said(member, 1);
    t.is(member.running.stderr, v4Lost);
    t.deepEqual(await states(lab), ['lost: IPv4: no default route is known on c1']);
    t.regex((await lab.via(['status'])).stdout, /^c1 +c1 +gateway down .*\n +IPv4: no default route is known on c1$/m);
    t.regex((await member.ask('tcp', far.v4, 0.3)).who, /^E/);
    t.is((await member.ask('tcp', far.v6)).who, 'g1');
    // A launch joins that group, and is told, however short it is.
    const late = await lab.via(['c1', '--', 'sh', '-c', 'exit 7']);
    t.deepEqual([late.code, late.stderr], [7, v4Lost]);
    t.is((await lab.via(['-q', 'c1', '--', 'true'])).stderr, '');
    t.is((await states(lab)).length, 1);
    await lab.sh('client', 'ip route add default via 10.0.1.1 dev c1');
    await said(member, 2);
    t.is(member.running.stderr, `${v4Lost}via: gateway c1: back\n`);
    await until('it is answered', async () => (await member.ask('tcp', far.v4, 0.3)).who === 'g1', WITHIN);
    t.deepEqual(await states(lab), ['ok']);
    await member.end();
    await kept(lab);
  },
);

test.serial('one router of a pair does not answer: the other family goes on', async (t) => {
  const lab = await makeLab(t);
  const gateway = '10.0.2.9,fe80::2:1%c2';
  const member = await startMember(lab, [gateway]);
  await watched(lab);
  t.regex((await member.ask('tcp', far.v4, 8)).who, /^E/);
  await said(member, 1);
  t.is(
    member.running.stderr,
    `via: gateway ${gateway}: lost: IPv4: 10.0.2.9 does not answer on c2 (nothing of IPv4 leaves until it is back)\n`,
  );
  t.deepEqual(await states(lab), ['lost: IPv4: 10.0.2.9 does not answer on c2']);
  // Where the kernel asks for the other router, that is not lost as well.
  for (let n = 0; n < 5; n++) {
    await lab.sh('client', 'ip -6 neigh flush all');
    t.is((await member.ask('tcp', far.v6)).who, 'g2');
  }
  await lab.sh('g2', 'ip address add 10.0.2.9/24 dev eth0');
  await until('it is back', () => member.running.stderr.endsWith(`via: gateway ${gateway}: back\n`), 10_000);
  t.is((await member.ask('tcp')).who, 'g2');
  await member.end();
  await kept(lab);
});

test.serial('both are lost, and one comes back: that is said, too', async (t) => {
  const lab = await makeLab(t);
  const gateway = '10.0.2.1,fd02::1';
  const member = await startMember(lab, [gateway]);
  await watched(lab);
  await lab.sh('client', 'ip link set c2 down');
  await said(member, 1);
  // The kernel has taken the addresses of IPv6.
  await lab.sh('client', 'ip link set c2 up');
  await until('it is answered', async () => (await member.ask('tcp', far.v4, 0.3)).who === 'g2', WITHIN);
  await until('it is said', () => member.running.stderr.split('\n').length > 2, 10_000);
  t.is(
    member.running.stderr,
    `via: gateway ${gateway}: lost: c2 is down (nothing leaves until it is back)\n` +
      `via: gateway ${gateway}: lost: IPv6: fd02::1 is not on-link on c2 (nothing of IPv6 leaves until it is back)\n`,
  );
  await member.end();
  await lab.sh('client', 'ip address add fd02::2/64 dev c2; ip address add fe80::2:2/64 dev c2');
  await kept(lab);
});

for (const { words, before, after, what } of [
  { words: ['10.0.1.1'], before: ':', after: 'ip -6 route del default', what: 'refused by an address' },
  {
    words: ['%c2'],
    before: 'ip route add default via 10.0.2.1 dev c2 metric 200',
    after: 'ip -6 route del default',
    what: 'that the device never had',
  },
  { words: ['--ipv4=allow', '%c1'], before: ':', after: 'ip route del default', what: 'allowed' },
])
  test.serial(`nothing is said of a family ${what}`, async (t) => {
    const lab = await makeLab(t, { servers: false });
    await lab.sh('client', before);
    const member = await startMember(lab, words);
    await watched(lab);
    await lab.sh('client', after);
    await settled(lab);
    t.deepEqual(await states(lab), ['ok']);
    t.is((await lab.via([...words, '--', 'true'])).stderr, '');
    await member.end();
    t.is(member.running.stderr, '');
  });
