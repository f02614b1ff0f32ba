import test from 'ava';
import { handOff } from '../../src/plan/handoff.js';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';

const named = (...command: string[]) => handOff(command)?.name;

test('what hands its work to somebody outside is known by its name, also behind wrappers', (t) => {
  t.is(named('docker', 'run', 'x'), 'docker');
  t.is(named('/usr/bin/docker', 'run', 'x'), 'docker');
  t.is(named('sudo', '-u', 'me', '/usr/bin/firefox', 'x'), 'firefox');
  for (const name of 'systemd-run flatpak snap gnome-terminal chromium google-chrome thunderbird'.split(' '))
    t.is(named(name, 'x'), name);
  for (const other of [[], ['echo', 'docker'], ['sudo', 'id'], ['dockerd'], ['constructor'], ['sudo', 'constructor']])
    t.is(named(...other), undefined, other.join(' '));
});

test('a program that sends in another network namespace is known by its name and words', (t) => {
  for (const words of [
    'ip netns exec n curl',
    'ip -4 netns exec n curl',
    'nsenter -t 1 -n curl',
    'nsenter --net=/x curl',
  ])
    t.is(named(...words.split(' ')), words.split(' ')[0]);
  for (const words of [
    'podman run x',
    'systemd-nspawn -n',
    'lxc-start x',
    'lxc exec x',
    'machinectl shell x',
    'virsh start x',
  ])
    t.is(named(...words.split(' ')), words.split(' ')[0]);
  for (const words of ['ip route', 'nsenter -m curl', 'podman ps', 'systemd-nspawn x', 'podman run --network=host x'])
    t.is(named(...words.split(' ')), undefined, words);
});

test('the program that an option belongs to counts, and how the option is written does not', (t) => {
  for (const words of [
    'ip -all netns exec true',
    'sudo ip netns exec n curl',
    'nsenter -n/run/netns/x curl',
    'nsenter -t1 -n curl',
    'nsenter -at 1 curl',
    'nsenter --target 1 --net curl',
    'systemd-nspawn -bn',
    'systemd-nspawn -D /x --network-macvlan=eth0',
    'systemd-nspawn --network-namespace-path=/x -b',
    'podman run --network bridge x',
  ])
    t.not(named(...words.split(' ')), undefined, words);
  for (const words of [
    'ip netns list',
    'ip netns add n',
    'ip netns del exec',
    'ip -n n address',
    'nsenter -m -t 1 ping -n x',
    'nsenter -t 1 -m sh -a',
    'nsenter -mn x',
    'systemd-nspawn -D / ping -n x',
    'podman run --network host x',
    'podman run --net none x',
  ])
    t.is(named(...words.split(' ')), undefined, words);
});

test('an option by which it keeps its work is enough', (t) => {
  t.is(named('systemd-run', '--scope', 'x'), undefined);
  t.is(named('chromium', '--user-data-dir=/x'), undefined);
  t.is(named('firefox', '--no-remote', '-P', 'x'), undefined);
  t.is(named('firefox', '--no-remotely'), 'firefox');
});

test.serial('a launch of `ip netns exec` says that the packets are only forwarded', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh('client', 'ip netns add inner');
  for (const x of [[], ['-x']]) {
    const { stderr, code } = await lab.via([...x, '10.0.2.1', '--', 'ip', 'netns', 'exec', 'inner', 'true']);
    t.is(code, 0);
    t.regex(
      stderr,
      /^via: command ip: sends in another network namespace, [^\n]* \(start via in that namespace, [^\n]*\)\n$/,
    );
  }
  await kept(lab);
  await lab.sh('client', 'ip netns del inner');
});

test.serial('a launch says so in one line; -q does not; a browser only where one runs outside', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh(
    'client',
    'mkdir /run/bin; cp /bin/sleep /run/bin/firefox; printf "#!/bin/sh\\necho ran\\n" >/run/bin/docker; chmod 755 /run/bin/*',
  );
  const { left } = await leaving(lab, async () => {
    const docker = await lab.via(['10.0.2.1', '--', '/run/bin/docker', 'run']);
    t.deepEqual([docker.code, docker.stdout], [0, 'ran\n']);
    t.regex(docker.stderr, /^via: command docker: has its daemon start [^\n]*\)\n$/);
    t.is((await lab.via(['-q', '10.0.2.1', '--', '/run/bin/docker', 'run'])).stderr, '');
    t.regex(
      (await lab.via(['-x', '10.0.2.1', '--', '/run/bin/docker', 'run'])).stderr,
      /^via: command docker: [^\n]*\n$/,
    );
    t.is((await lab.via(['10.0.2.1', '--', '/run/bin/firefox', '0'])).stderr, '');
    const running = lab.start('client', ['/run/bin/firefox', '60']);
    const { stderr } = await lab.via(['10.0.2.1', '--', '/run/bin/firefox', '0']);
    t.is(
      stderr,
      'via: command firefox: runs already outside, and opens there what it is asked to ' +
        `(--no-remote -P <another profile>, or via attach --tree 10.0.2.1 ${running.pid})\n`,
    );
    running.kill();
    await running.done;
    await new Promise((resolve) => setTimeout(resolve, 1500));
  });
  t.deepEqual(left, []);
});
