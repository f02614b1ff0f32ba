import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import test from 'ava';
import { v4 as uuid } from 'uuid';
import { makeLab } from '../helpers/lab.js';
import { killKeepers, settled } from '../helpers/keepers.js';
import { kept, leaving, until } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';
import { diff, snapshot } from '../helpers/snapshot.js';

/** A via that becomes a shell, which runs this. */
const becoming = (script: string): string[] => [viaBin, '-x', '10.0.2.1', '--', 'sh', '-c', script];

test.serial('it is never a member, has a session of its own and nothing of ours open', async (t) => {
  const lab = await makeLab(t, { servers: false, netCls: 'mounted' });
  const script = 'exec 3</etc/passwd 17</etc/group 300</etc/hosts; exec "$@"';
  // By bash, for descriptors above 9; inside another group, for that is where it is started.
  const inside = ['bash', '-c', script, 'bash', viaBin, '10.0.1.3', '--', 'sh', '-c', 'echo in; cat'];
  const running = lab.start('client', ['unshare', '--ipc', viaBin, '10.0.2.1', '--', ...inside]);
  await running.waitFor(/in/);
  await settled(lab);
  const [keeper, ...more] = lab.keepers();
  t.deepEqual(more, []);
  const of = (name: string): string => `/proc/${keeper?.pid}/${name}`;
  t.notRegex(readFileSync(of('cgroup'), 'utf8'), /net_cls[^:]*:.*\/via-[0-9a-f-]{36}/);
  const [parent, group, session] = readFileSync(of('stat'), 'utf8')
    .replace(/^.*\) . /, '')
    .split(' ');
  t.deepEqual([group, session], [String(keeper?.pid), String(keeper?.pid)]);
  t.not(parent, String(running.pid));
  t.is(readlinkSync(of('cwd')), '/');
  const open = readdirSync(of('fd')).map((fd) => readlinkSync(of(`fd/${fd}`)).replace(/keeper-\d+/, 'keeper-N'));
  // The listener's, once it is there.
  const own = open.filter((path) => !path.startsWith('pipe:'));
  t.true(open.length - own.length <= 1, `${open}`);
  t.deepEqual(own.sort(), ['/dev/null', '/dev/null', '/run/via/keeper-N', viaBin.replace(/via$/, 'keeper')].sort());
  t.deepEqual(
    readFileSync(of('environ'), 'utf8')
      .split('\0')
      .map((line) => line.replace(/=.*/, ''))
      .filter((name) => !['PATH', 'LC_ALL', '_', 'PWD', 'SHLVL', 'OLDPWD', ''].includes(name)),
    [],
  );
  running.stdin.end();
  await running.done;
  await until('the keeper is gone', () => lab.keepers().length === 0);
});

test.serial('a command substitution does not wait for it', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const before = await snapshot(lab);
  for (const words of [[], ['-x']]) {
    const script = `x=$("$@" 2>&1 3>&1); echo "got $x"; ls /run/via | grep -c keeper`;
    const inner = [viaBin, ...words, '10.0.2.1', '--', 'sh', '-c', 'sleep 2 >/dev/null 2>&1 3>&- & echo done'];
    const result = await lab.run('client', ['sh', '-c', script, 'sh', ...inner], { timeout: 10_000 });
    t.is(result.stdout, 'got done\n1\n');
    await until('the keeper is gone', () => lab.keepers().length + lab.processes().length === 0);
  }
  t.deepEqual(diff(before, await snapshot(lab)), []);
});

test.serial('where it was killed, the next launch starts one, and what is left is swept', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  for (const next of [
    ['10.0.2.1', '--', 'true'],
    ['10.0.1.3', '--', 'true'],
    ['-x', '10.0.2.1', '--', 'true'],
  ]) {
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '10.0.2.1');
      await killKeepers(lab);
      t.is((await lab.via(next)).stderr, '');
      t.is(lab.keepers().length, 1, next.join(' '));
      await held.release();
      await until('the keeper is gone', () => lab.keepers().length + lab.processes().length === 0);
    });
    t.deepEqual(left, [], next.join(' '));
  }
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, '-x', '10.0.2.1');
    await killKeepers(lab);
    await held.release();
    t.regex(await lab.sh('client', 'cat /proc/sys/net/ipv4/conf/c2/src_valid_mark; ls /run/via'), /^1\n(.*\n)*lock\n/);
    t.is((await lab.via(['sweep'])).stderr, '');
  });
  t.deepEqual(left, []);
});

test.serial('one for each network namespace, each with its own groups', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const before = await snapshot(lab);
  const link = `ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
    ip addr add 10.9.0.2/24 dev v0`;
  const other = ['unshare', '--net', 'sh', '-c', `${link}; "$@"`, 'other'];
  const held = await hold(lab, '10.0.2.1');
  const elsewhere = lab.start('client', [...other, viaBin, '-x', '10.9.0.1%v0', '--', 'sh', '-c', 'echo in; read _']);
  await elsewhere.waitFor(/in|via:/);
  t.is(lab.keepers().length, 2, elsewhere.stderr);
  elsewhere.stdin.end();
  await elsewhere.done;
  await until('one keeper is gone', () => lab.keepers().length === 1);
  t.is((await lab.sh('client', 'ls -d /run/via/group-* | wc -l')).trim(), '1');
  await held.release();
  await until('the other is gone', () => lab.keepers().length === 0);
  t.deepEqual(diff(before, await snapshot(lab)), []);
});

test.serial('two keepers clean up at the same moment', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh(
    'g1',
    'ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; ip addr add 10.9.0.2/24 dev v0',
  );
  const before = await snapshot(lab);
  for (let round = 0; round < 5; round++) {
    const stay = ['--', 'sh', '-c', 'echo in; read _'];
    const both = [
      lab.start('client', [viaBin, '-x', '10.0.2.1', ...stay]),
      lab.start('g1', [viaBin, '-x', '10.9.0.1%v0', ...stay]),
    ];
    for (const one of both) await one.waitFor(/in|via:/);
    for (const one of both) one.stdin.end();
    for (const one of both) t.is((await one.done).stderr, '');
    await kept(lab);
    t.deepEqual(diff(before, await snapshot(lab)), [], `round ${round}`);
  }
});

test.serial('a network namespace can be deleted with a group inside, which is gone when its members are', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const before = await snapshot(lab);
  await lab.sh(
    'client',
    'ip netns add gone; ip -n gone link add v0 type veth peer name v1; ip -n gone link set v0 up; ip -n gone link set v1 up; ip -n gone addr add 10.9.0.2/24 dev v0',
  );
  const enter = ['nsenter', '--net=/run/netns/gone'];
  const inside = lab.start('client', [...enter, viaBin, '-x', '10.9.0.1', '--', 'sh', '-c', 'echo in; read _']);
  await inside.waitFor(/in|via:/);
  await lab.sh('client', 'ip netns del gone');
  inside.stdin.end();
  t.is((await inside.done).stderr, '');
  await until('the keeper is gone', () => lab.keepers().length + lab.processes().length === 0);
  t.deepEqual(diff(before, await snapshot(lab)), []);
});

test.serial('it is out of the systemd scope of its caller, which systemd may end with all that is in it', async (t) => {
  const roots = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'];
  const found = roots.filter((root) => existsSync(`${root}/cgroup.procs`));
  if (found.length === 0) return void t.pass('no hierarchy of systemd, nor of the second version, is mounted');
  for (const root of found) {
    const lab = await makeLab(t, { servers: false });
    const scope = `${root}/via-test-${uuid()}.scope`;
    mkdirSync(scope);
    const inside = ['sh', '-c', 'echo 0 >"$0/cgroup.procs"; exec "$@"', scope, ...becoming('echo in; read _')];
    const running = lab.start('client', inside);
    try {
      await running.waitFor(/in/);
      const members = (): string => readFileSync(`${scope}/cgroup.procs`, 'utf8').trim();
      await until('the command is alone in it', () => members() === String(running.pid));
      t.is(lab.keepers().length, 1);
    } finally {
      running.stdin.end();
      await running.done;
      await kept(lab);
      rmdirSync(scope);
    }
    await lab.end();
  }
});

test.serial('nobody takes what a killed keeper was running for a keeper', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const stays = await hold(lab, '-x', '10.0.1.3');
    const sweeping = (): number | undefined => lab.processes().find(({ argv }) => argv.at(-1) === 'keep')?.pid;
    let pid = 0;
    // One that has the lock already keeps everybody waiting: then with the next group.
    for (let isFree = false; !isFree;) {
      const ends = await hold(lab, '-x', '10.0.2.1');
      await settled(lab);
      await ends.release();
      await until('the keeper sweeps', () => sweeping() !== undefined);
      pid = sweeping() ?? 0;
      process.kill(pid, 'SIGSTOP');
      isFree = (await lab.run('client', ['flock', '-n', '/run/via/lock', 'true'])).code === 0;
      if (!isFree) process.kill(pid, 'SIGCONT');
    }
    await killKeepers(lab, pid);
    // Its listener holds the second guard, which nobody else can make then.
    const listens = (): boolean => lab.processes().some(({ argv: [, script] }) => script?.endsWith('/bin/listener'));
    await until('its listener is gone', () => !listens());
    const joined = await hold(lab, '-x', '10.0.1.3');
    await until('there is another keeper', () => lab.keepers().length === 1);
    process.kill(pid, 'SIGCONT');
    await stays.release();
    await joined.release();
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('what is in the place of its FIFO and is none is no keeper', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const replace = async (script: string): Promise<void> => {
    await lab.sh('client', `cd /run/via; f=$(echo keeper-*); rm "$f"; ${script}`);
    await killKeepers(lab);
  };
  for (const script of ['echo >"$f"', 'ln -s /etc/passwd "$f"', 'ln -s /nowhere "$f"', 'mkdir "$f"']) {
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '-x', '10.0.2.1');
      await replace(script);
      t.is((await lab.via(['-x', '10.0.2.1', '--', 'true'])).stderr, '');
      await until(`there is a keeper beside ${script}`, () => lab.keepers().length === 1);
      await held.release();
      await kept(lab);
    });
    t.deepEqual(left, [], script);
  }
  const held = await hold(lab, '-x', '10.0.2.1');
  await replace('mkdir -p "$f/mine"');
  const { code, stderr } = await lab.via(['-x', '10.0.2.1', '--', 'true']);
  t.is(code, 125);
  t.regex(stderr, /^via: directory \/run\/via\/keeper-\d+: in the place of a file of via \(remove it\)\n$/);
  await held.release();
  t.is((await lab.via(['sweep'])).stderr, '');
  t.regex(await lab.sh('client', 'ip rule; nft list tables; ls /run/via'), /^(\d+:.*\n)*keeper-\d+\n$/);
});

test.serial('the limits of who has started it are not its own', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const limited = ['bash', '-c', 'ulimit -S -t 60 -f 1000; exec "$@"', 'bash'];
  const running = lab.start('client', [...limited, ...becoming('ulimit -t; ulimit -f; read _')]);
  await running.waitFor(/^60\n2000\n/);
  const [keeper] = lab.keepers();
  const limits = (): string => readFileSync(`/proc/${keeper?.pid}/limits`, 'utf8');
  await until('it has begun', () => /^Max cpu time +unlimited /m.test(limits())).catch(() => {});
  t.regex(limits(), /^Max cpu time +unlimited .*\nMax file size +unlimited /m);
  running.stdin.end();
  await running.done;
  await kept(lab);
});

test.serial('one for each /run, where another one hides the mount of net_cls', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const before = await snapshot(lab);
  const held = await hold(lab, '-x', '10.0.2.1');
  const script = 'mount -t tmpfs -o mode=755 none /run; exec "$@"';
  const command = [viaBin, '-x', '10.0.1.3', '--', 'sh', '-c', 'echo in; read _'];
  const other = lab.start('client', ['unshare', '--mount', 'sh', '-c', script, 'sh', ...command]);
  await other.waitFor(/in|via:/);
  t.is(lab.keepers().length, 2, other.stderr);
  other.stdin.end();
  t.is((await other.done).stderr, '');
  await until('one keeper is gone', () => lab.keepers().length === 1);
  await held.release();
  await kept(lab);
  t.deepEqual(diff(before, await snapshot(lab)), []);
});

test.serial('of a group in another network namespace and under another /run nothing stays here', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const script = 'mount -t tmpfs -o mode=755 none /run; exec "$@"';
  const command = [viaBin, '-x', '10.0.1.3', '--', 'sh', '-c', 'echo in; read _'];
  const other = lab.start('g1', ['unshare', '--mount', 'sh', '-c', script, 'sh', ...command]);
  await other.waitFor(/in|via:/);
  const rest = () => lab.sh('client', 'ls /run; ip rule; nft list tables; cat /proc/mounts');
  const before = await rest();
  for (const words of [[], ['-x']]) {
    const { code, stderr } = await lab.via([...words, '10.0.2.1', '--', 'true']);
    t.deepEqual([code, stderr], [0, '']);
    await until('one keeper is gone', () => lab.keepers().length === 1);
    t.is(await rest(), before);
  }
  other.stdin.end();
  t.is((await other.done).stderr, '');
  await kept(lab);
});
