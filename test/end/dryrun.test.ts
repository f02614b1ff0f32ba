import test from 'ava';
import { killKeepers } from '../helpers/keepers.js';
import { makeLab, type Lab, type LabOptions } from '../helpers/lab.js';
import { leaving, quiet } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { refuses } from '../helpers/refused.js';
import { diff, snapshot, type Snapshot } from '../helpers/snapshot.js';

const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const stay = ['sh', '-c', 'echo in; read _'];

/** A snapshot without what differs each time: uuids, the sums of what they are in, and the numbers of members. */
function normal(seen: Snapshot): Snapshot {
  const plain = Object.entries(seen).map(([name, text]): [string, string] => [
    name,
    text
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
      .replace(/^\d+ (?=\d+ \d+:\d+ \/)/gm, '') // A mount's number.
      .replace(/(comment "[0-9a-z]{6,8})-[0-9a-f]{8}\./g, '$1-UUID.'),
  ]);
  const { files = '', cgroups = '', ...rest } = Object.fromEntries(plain);
  const sorted = (text: string) => text.split('\n').sort().join('\n');
  // via stays as a member, where the shell becomes the command.
  return {
    ...rest,
    files: sorted(files.replace(/^[0-9a-f]{64} /gm, 'SUM ')),
    cgroups: sorted(cgroups.replace(/ \d+$/gm, '')),
  };
}

/** What is seen while a command runs, which is started by `argv`. */
async function during(lab: Lab, argv: string[]): Promise<Snapshot> {
  const running = lab.start('client', argv);
  await running.waitFor(/in/);
  const seen = await snapshot(lab);
  running.stdin.end();
  await running.done;
  return normal(seen);
}

const labs: Record<string, LabOptions> = {
  'via mounts net_cls itself': {},
  'net_cls is mounted already': { netCls: 'mounted' },
  'strict rp_filter': { rpFilter: { c2: 1 } },
  'no IPv6 addresses': { v6: false },
};
const launches = [['10.0.2.1'], ['--no-lan', '--ipv6=allow', '10.0.2.1'], ['10.0.2.1,fd02::1'], ['10.0.1.3'], ['tun0']];

for (const [where, options] of Object.entries(labs))
  test.serial(`the script of a dry run leaves what a launch does: ${where}`, async (t) => {
    for (const words of launches) {
      if (options.v6 === false && words[0]?.includes(':')) continue;
      const lab = await makeLab(t, { servers: false, tun: true, ...options });
      // A router that the kernel has not met is asked for its address, which a dry run does not do.
      await lab.sh('client', 'ping -c1 -W1 10.0.1.3');
      const { result, left } = await leaving(lab, () => lab.via(['--dry-run', ...words, '--', ...stay]));
      t.deepEqual([result.code, result.stderr, left], [0, '', []]);
      const launched = await during(lab, [viaBin, ...words, '--', ...stay]);
      const typed = await leaving(lab, async () => {
        const seen = await during(lab, ['sh', '-ec', result.stdout]);
        await quiet(lab);
        t.is((await lab.via(['sweep'])).stderr, '');
        return seen;
      });
      t.deepEqual(diff(launched, typed.result), [], words.join(' '));
      t.deepEqual(typed.left, [], 'what was typed is swept like a launch');
      await lab.end();
    }
  });

test.serial('the same beside another group, which is not touched', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { all: 1 } });
  const other = lab.start('client', [viaBin, '10.0.1.3', '--', ...stay]);
  await other.waitFor(/in/);
  await lab.sh('client', 'ping -c1 -W1 10.0.1.1');
  const { left } = await leaving(lab, async () => {
    for (const words of [['10.0.2.1'], ['10.0.1.1'], ['--no-lan', '10.0.1.3']]) {
      const { result } = await leaving(lab, () => lab.via(['--dry-run', ...words, '--', ...stay]));
      const launched = await during(lab, [viaBin, ...words, '--', ...stay]);
      // With the lock, as a launch has it: a keeper would take what somebody types for what a killed via has left.
      const typed = `exec 9</run/via/lock; flock 9\n${result.stdout.replace(/\nexec /, '\nexec 9<&-\nexec ')}`;
      t.deepEqual(diff(launched, await during(lab, ['sh', '-ec', typed])), [], words.join(' '));
      await quiet(lab, 2);
      t.is((await lab.via(['sweep'])).stderr, '');
    }
  });
  t.deepEqual(left, []);
  const join = await lab.via(['--dry-run', '10.0.1.3', '--', 'echo', 'a b']);
  t.regex(join.stdout, /^echo \$\$ > \S+\/via-[-0-9a-f]{36}\/cgroup.procs\nexec echo 'a b'\n$/);
  other.stdin.end();
  await other.done;
});

test.serial('it needs no root, and says what it could not read', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  const dry = (...words: string[]) => leaving(lab, () => lab.run('client', [...nobody, viaBin, '--dry-run', ...words]));
  const root = await lab.via(['--dry-run', '10.0.2.1', '--', 'true']);
  const { result, left } = await dry('10.0.2.1', '--', 'true');
  t.deepEqual([result.code, result.stderr, left], [0, '', []]);
  const [note, ...lines] = result.stdout.split('\n');
  t.regex(note ?? '', /^# not root: /);
  t.deepEqual(normal({ lines: lines.join('\n') }), normal({ lines: root.stdout }));

  // With groups it cannot see, it takes nothing of theirs away.
  for (const netCls of [undefined, 'mounted'] as const) {
    if (netCls)
      await lab.sh(
        'client',
        'mkdir /run/n; mount -t cgroup -o net_cls none /run/n || mount -t cgroup -o net_cls,net_prio none /run/n',
      );
    const other = lab.start('client', [viaBin, '10.0.2.1', '--', ...stay]);
    await other.waitFor(/in/);
    for (const gateway of ['10.0.2.1', '10.0.1.3']) {
      const beside = await dry(gateway, '--', 'true');
      t.deepEqual([beside.result.code, beside.result.stderr, beside.left], [0, '', []]);
      t.regex(beside.result.stdout, /^# not root: /);
      t.notRegex(beside.result.stdout, / del |delete|flush|rmdir|^rm /m);
    }
    other.stdin.end();
    await other.done;
  }
});

test.serial('what it cannot know without asking, it says', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { stdout } = await lab.via(['--dry-run', '10.0.1.3', '--', 'true']);
  t.regex(stdout, /^# a launch asks 10\.0\.1\.3%c1 for its link-layer address/m);
  await lab.sh('client', 'ping -c1 -W1 10.0.1.3');
  t.notRegex((await lab.via(['--dry-run', '10.0.1.3', '--', 'true'])).stdout, /^# /m);
});

test.serial('what makes no launch makes no dry run', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const gateway of ['10.0.9.1', 'eth7', '10.0.2.2', '10.0.2'])
    await refuses(t, lab, ['--dry-run', gateway, '--', 'true'], /^via: (gateway|device) /m);
});

test.serial('of a sweep: what it would take away', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  t.deepEqual((await lab.via(['sweep', '--dry-run'])).stdout, '');
  const { left } = await leaving(lab, async () => {
    const killed = lab.start('client', [viaBin, '10.0.2.1', '--', ...stay]);
    await killed.waitFor(/in/);
    killed.kill('SIGKILL');
    killed.stdin.end();
    await killed.done;
    await killKeepers(lab);
    await quiet(lab);
    const { result, left: now } = await leaving(lab, () => lab.via(['sweep', '--dry-run']));
    t.deepEqual([result.code, result.stderr, now], [0, '', []]);
    await lab.sh('client', result.stdout);
  });
  t.deepEqual(left, []);
});
