import test from 'ava';
import { killKeepers } from '../helpers/keepers.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { watchTools } from '../helpers/tools.js';

const anyUuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const plain = (text: string) => text.replace(anyUuid, 'UUID').replace(/(comment "\w+)-[0-9a-f]{8}\./g, '$1-UUID.');

test.serial('-v tells the changes of a launch, which are those of a dry run, and of its end', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  const dry = await lab.via(['--dry-run', '10.0.2.1', '--', 'echo', 'ran']);
  const { result, left } = await leaving(lab, () =>
    lab.via(['-v', '10.0.2.1', '--', 'sh', '-c', 'echo ran; echo ran >&2']),
  );
  t.deepEqual([result.code, result.stdout, left], [0, 'ran\n', []]);
  const [before = '', after = ''] = result.stderr.split('ran\n');
  // It has the keeper there before anything else.
  const sorted = (text: string): string[] => plain(text).split('\n').sort();
  t.deepEqual(sorted(before), sorted(dry.stdout.replace(/^exec .*\n/m, '')));
  const lines = [
    /^rmdir \S+\/via-/m,
    /^echo 0 > \S+c2\/src_valid_mark$/m,
    /^delete table inet via$/m,
    /^ip -4 rule del pref/m,
    /^umount -n -l \/run\/via\/net_cls$/m,
    /^rmdir \/run\/via$/m,
  ];
  for (const line of lines) t.regex(after, line);
  t.notRegex(after, / add |mkdir/);
});

test.serial('the lines of the end, typed, do what the end does', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  const told = await lab.via(['-v', '10.0.2.1', '--', 'sh', '-c', 'echo ran >&2']);
  const [before = '', after = ''] = told.stderr.split('ran\n');
  const script = `${before}\necho $$ >/run/via/net_cls/cgroup.procs\n${after}`;
  const { left } = await leaving(lab, () => lab.sh('client', script));
  t.deepEqual(left, []);
});

test.serial('-v tells one who joins no change, and what is mended', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const first = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
  await first.waitFor(/in/);
  const join = await lab.via(['-v', '10.0.2.1', '--', 'true']);
  t.regex(join.stderr, /^echo \$\$ > \S+\n# 10\.0\.2\.1: sent .*\n$/);
  // It would mend it itself.
  await killKeepers(lab);
  await lab.sh('client', 'ip rule del pref $(ip rule | sed -n "s/:.*fwmark.*//p")');
  const mend = await lab.via(['-v', '10.0.2.1', '--', 'true']);
  t.regex(
    mend.stderr,
    /^ip -4 rule add pref \d+ iif lo fwmark \S+ lookup \d+ protocol 118\n(?:.*keeper.*\n)+echo \$\$ > \S+\n# 10\.0\.2\.1: sent .*\n$/,
  );
  first.stdin.end();
  await first.done;
});

test.serial('-v tells what undoes a failed set-up', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const tools = await watchTools(lab);
  const launch = () => lab.via(['-v', '10.0.2.1', '--', 'true']);
  const { result } = await tools.during('fail', 'mount_-n_-t.1', launch, 99);
  t.is(result.code, 125);
  t.regex(result.stderr, /^delete table inet via$[^]*^via: cgroup mount: mount: made to fail$/m);
});

test.serial('VIA_TRACE=1 tells the time of each phase, on standard error', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { stdout, stderr } = await lab.via(['10.0.2.1', '--', 'echo', 'ran'], { env: { VIA_TRACE: '1' } });
  t.is(stdout, 'ran\n');
  const phases = [...stderr.matchAll(/^via: trace: (\w+) +[\d.]+ ms +([\d.]+) ms$/gm)];
  t.is(phases.length, stderr.trim().split('\n').length);
  const names = phases.map(([, name]) => name);
  for (const phase of ['start', 'read', 'change', 'join', 'leave']) t.true(names.includes(phase), phase);
  const times = phases.map(([, , time]) => Number(time));
  t.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  t.is((await lab.via(['10.0.2.1', '--', 'true'], { env: { VIA_TRACE: '0' } })).stderr, '');
});

test.serial('nobody reads what is told: the launch goes on', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const stderr of ['>&-', '>/dev/full', '> >(exec true)']) {
    const script = `"$0" -v 10.0.2.1 -- echo ran 2${stderr}`;
    const { result, left } = await leaving(lab, () =>
      lab.run('client', ['bash', '-c', script, viaBin], { env: { VIA_TRACE: '1' } }),
    );
    t.deepEqual([result.code, result.stdout], [0, 'ran\n'], stderr);
    t.deepEqual(left, [], stderr);
  }
});
