import test from 'ava';
import { launchWords } from '../helpers/firewall.js';
import { watched, WITHIN } from '../helpers/healing.js';
import { makeLab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { startMember, type Member } from '../helpers/member.js';
import { python } from '../helpers/paths.js';
import { far } from '../helpers/topology.js';

const v6 = 'ip -6 address add fe80::2:2/64 dev c2; ip -6 address add fd02::2/64 dev c2';
const down = 'ip link set c2 down';
const up = `ip link set c2 up; ${v6}`;

/** The lines of via's own, with what they say of a gateway. */
const said = ({ running }: Member, gateway: string): string[] =>
  running.stderr
    .split('\n')
    .filter(Boolean)
    .map((line) =>
      line.startsWith(`via: gateway ${gateway}: `) ? (/: (lost: .+ \(.+\)|back\b)/.exec(line)?.[1] ?? line) : line,
    )
    .map((line) => line.replace(/^lost: .*/, 'lost'));

const waitFor = (member: Member, gateway: string, what: string[]): Promise<void> =>
  until(`${what.join(', ')} is said`, () => said(member, gateway).length >= what.length, WITHIN).catch(
    (error: Error) => {
      throw new Error(`${error.message}; so far: ${member.running.stderr}`);
    },
  );

const answers = (lab: Member, address: string = far.v4): Promise<void> =>
  until('it is answered again', async () => (await lab.ask('tcp', address, 0.2)).who === 'g2', WITHIN);

for (const gateway of ['10.0.2.1', '10.0.2.1,fd02::1'])
  test.serial(`${gateway}: lost is said once, and back once, by each via that stays`, async (t) => {
    const lab = await makeLab(t);
    const members = [await startMember(lab, [gateway]), await startMember(lab, [gateway])];
    await watched(lab);
    await lab.sh('client', down);
    for (const member of members) {
      await waitFor(member, gateway, ['lost']);
      t.not((await member.ask('tcp', far.v4, 0.2)).who, 'g2');
    }
    await lab.sh('client', up);
    for (const member of members) {
      await waitFor(member, gateway, ['lost', 'back']);
      await answers(member);
      if (gateway.includes(',')) await answers(member, far.v6);
    }
    for (const member of members) {
      await member.end();
      t.deepEqual(said(member, gateway), ['lost', 'back']);
    }
    await kept(lab);
  });

test.serial('a launch while it is lost does not make a via that stays say it again', async (t) => {
  const lab = await makeLab(t);
  const member = await startMember(lab, ['10.0.2.1']);
  await watched(lab);
  await lab.sh('client', down);
  await waitFor(member, '10.0.2.1', ['lost']);
  const late = await lab.via(['10.0.2.1', '--', 'true']);
  t.true(late.code === 125 || late.code === 0, late.stderr);
  await lab.sh('client', up);
  await waitFor(member, '10.0.2.1', ['lost', 'back']);
  await answers(member);
  await member.end();
  t.deepEqual(said(member, '10.0.2.1'), ['lost', 'back']);
  await kept(lab);
});

for (const option of ['-q', '-x'])
  test.serial(`${option}: nothing is said, and it is mended all the same`, async (t) => {
    const lab = await makeLab(t);
    const member = await startMember(lab, [option, '10.0.2.1']);
    await watched(lab);
    await lab.sh('client', down);
    t.not((await member.ask('tcp', far.v4, 0.2)).who, 'g2');
    await lab.sh('client', up);
    await answers(member);
    await member.end();
    t.is(member.running.stderr, '');
    await kept(lab);
  });

test.serial('what is mended at once is not worth a line', async (t) => {
  const lab = await makeLab(t);
  const member = await startMember(lab, ['10.0.2.1']);
  await watched(lab);
  await lab.sh('client', `ip rule del pref $(ip -N rule | sed -n 's/^\\([0-9]*\\):.* proto 118.*/\\1/p')`);
  await answers(member);
  await member.end();
  t.is(member.running.stderr, '');
  await kept(lab);
});

test.serial('nobody reads what is said: the command runs on, and via ends with it', async (t) => {
  const lab = await makeLab(t);
  const [program, ...words] = launchWords(['10.0.2.1']);
  const script = `
import fcntl, os, subprocess, sys
r, w = os.pipe()
os.write(w, b'x' * fcntl.fcntl(w, 1032))
via = subprocess.Popen(sys.argv[1:] + ['--', 'sh', '-c', 'read line; exit 7'], stderr=w)
print(via.wait(), flush=True)`;
  const running = lab.start('client', [...python, '-c', script, program!, ...words]);
  await watched(lab);
  await lab.sh('client', down);
  await until('it could have been said', () => false, WITHIN).catch(() => {});
  running.write('\n');
  const [code] = await running.waitFor(/^\d+$/m, { timeout: 5000 });
  t.is(code, '7');
  await running.done;
  await kept(lab);
});
