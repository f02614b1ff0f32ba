import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { parse } from '../../src/cli/parse.js';
import { TELLING } from '../../src/plan/handoff.js';
import { launchWords, markBy } from '../helpers/firewall.js';
import { killKeepers, settled } from '../helpers/keepers.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { until } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';

const joinBin = viaBin.replace(/via$/, 'join');

/** What bin/join says to these words, for a shell; nothing where Node is to look. */
const asked = (words: string): string => `{ perl ${joinBin} $$ ${words} || true; }`;
const ASKED = asked('-x 10.0.2.1 -- cat');

/** A group that is used, and that was found in order. */
async function known(t: ExecutionContext, lab: Lab): Promise<void> {
  const held = await hold(lab, '10.0.2.1');
  await found(lab);
  t.teardown(async () => {
    await held.release().catch(() => {});
  });
}

/** Waits until it is in order, and found so. */
const found = (lab: Lab, after = ''): Promise<void> =>
  until(`it is known to be in order ${after}`, async () => {
    await lab.run('client', launchWords(['-x', '10.0.2.1', '--', 'true']));
    return (await lab.sh('client', ASKED)).startsWith('become ');
  });

/** A `node` that cannot run. */
const WITHOUT_NODE =
  'mkdir /run/bin; printf "#!/bin/sh\\nexit 99\\n" >/run/bin/node; chmod +x /run/bin/node; PATH=/run/bin:$PATH';

for (const firewall of ['nft', 'iptables-nft', 'iptables-legacy'] as const)
  test.serial(`a group that is in order is joined without Node: ${firewall}`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t, { servers: false });
    await known(t, lab);
    const command = 'cat /proc/self/cgroup; ls -l /proc/self/fd | wc -l; exit 7';
    const script = `${WITHOUT_NODE}; ${viaBin} -x 10.0.2.1 sh -c '${command}'`;
    const by = await lab.run('client', ['sh', '-c', script]);
    t.deepEqual([by.code, by.stderr], [7, '']);
    t.regex(by.stdout, /net_cls[^:]*:\/via-[\da-f-]{36}$/m);
    // Another way out, or one that is not known, is a matter for Node.
    for (const words of ['-x --no-lan 10.0.2.1', '-x 10.0.1.1', '-vx 10.0.2.1', '-x --user nobody 10.0.2.1'])
      t.is((await lab.run('client', ['sh', '-c', `PATH=/run/bin:$PATH; ${viaBin} ${words} true`])).code, 125, words);
    markBy('nft');
  });

/** What makes the group another one than it was found, or may; for a shell on the client. */
const unlike: Record<string, string> = {
  'a rule is gone': 'ip rule del pref $(ip rule | sed -n "/lookup 70/s/:.*//p")',
  'a rule of the other family is gone': 'ip -6 rule del pref $(ip -6 rule | sed -n "/lookup 70/s/:.*//p")',
  'a rule ahead': 'ip rule add pref 5 from all lookup main',
  'a route is gone': 'ip route del default table $(ip rule | sed -n "s/.*lookup \\(70[0-9]*\\).*/\\1/p")',
  'a route of main': 'ip route add 192.0.2.0/24 dev c1',
  'a chain is empty': 'nft flush chain inet via classify',
  'the table is gone': 'nft delete table inet via',
  'an element more': 'nft add element inet via marks "{ 0x05000000 }"',
  'a device is down': 'ip link set c2 down',
  'an address more': 'ip address add 10.0.2.77/24 dev c2',
  'a reverse path filter': 'echo 1 >/proc/sys/net/ipv4/conf/c2/rp_filter',
  'the mark is valid': 'echo 1 >/proc/sys/net/ipv4/conf/all/src_valid_mark',
  'the record is gone': 'rm /run/via/group-*',
  'the record is another': 'for f in /run/via/group-*; do sed -i "s/\\"4=[^ ]*/\\"4=10.0.1.1%c1/" $f; done',
  'a record of a setting': 'echo 1 >/run/via/sysctl-1-c2',
  'a group more': 'mkdir /run/via/net_cls/via-00000000-0000-4000-8000-000000000000',
  'what was found is cut off': 'for f in /run/via/intact-*; do truncate -s 300 $f; done',
  'of another revision': 'sed -i 1s/./x/ /run/via/intact-*',
  'no memory of it': 'rm /run/via/intact-*',
};

test.serial('where anything is unlike, Node looks', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  for (const [title, script] of Object.entries(unlike)) {
    // A keeper that is at work mends it before we look.
    await settled(lab);
    t.is(await lab.sh('client', `${script}; ${ASKED}`), '', title);
    const back = `ip link set c2 up; ip address del 10.0.2.77/24 dev c2; ip rule del pref 5; ip route del 192.0.2.0/24
      nft delete element inet via marks "{ 0x05000000 }"; rm -f /run/via/sysctl-1-c2; ip route replace default via 10.0.1.1 dev c1
      ip -6 route replace default via fd01::1 dev c1; rmdir /run/via/net_cls/via-0*0; cd /proc/sys/net/ipv4/conf
      echo 0 >c2/rp_filter; echo 0 >all/src_valid_mark`;
    await lab.run('client', ['sh', '-c', back]);
    await found(lab, `after: ${title}`);
  }
  await killKeepers(lab);
  t.is(await lab.sh('client', ASKED), '', 'no keeper');
  t.log(`${Object.keys(unlike).length + 1} changes`);
});

test.serial('its reading of the words is that of via', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  const oneOf = (words: string) => fc.constantFrom(...words.split(' '));
  const option = oneOf('-x -q -xq -xx --exec --quiet --notify -- --ipv6=refuse --ipv4 refuse --firewall nft');
  const word = oneOf(
    '10.0.2.1 run none status cat ls -v --ipv6=allow --no-lan --user root -h --dry-run --elevate=none --version -xv --ex ' +
      '%c2 firefox nowhere - --no-exec',
  );
  const some = fc.array(fc.oneof({ weight: 4, arbitrary: option }, word), { maxLength: 2 });
  const words = fc.tuple(
    some,
    fc.constantFrom('-x', '-q'),
    some,
    fc.constant('10.0.2.1'),
    some,
    fc.constant('cat'),
    some,
  );
  const all = fc.sample(words, 200).map((parts) => parts.flat());
  const script = 'while read -r words; do printf "%s\\n" "$(eval "$0 $$ $words" | head -n 1)"; done';
  const input = all.map((list) => `${list.map((one) => `'${one}'`).join(' ')}\n`).join('');
  const { stdout } = await lab.run('client', ['sh', '-c', script, `perl ${joinBin}`], { input, timeout: 60_000 });
  const answers = stdout.split('\n').slice(0, -1);
  t.is(answers.length, all.length);
  const joined = all.filter((_, i) => answers[i] !== '');
  for (const [i, list] of all.entries()) {
    if (answers[i] === '') continue;
    const request = parse(list);
    if (request.word !== 'launch') return t.fail(list.join(' '));
    const { gateway, command, options } = request;
    const { ipv4, ipv6, lan, exec, dryRun, verbose, user } = options;
    t.deepEqual(
      [gateway, ipv4, ipv6, lan, exec, dryRun, verbose, user],
      ['10.0.2.1', 'refuse', 'refuse', true, true, false, false, ''],
      list.join(' '),
    );
    t.is(answers[i]?.split(' ')[2], String(list.length - command.length), list.join(' '));
  }
  t.true(joined.length >= 5, `${joined.length}`);
  t.log(`${joined.length} of ${all.length} joined`);
});

test.serial('a line feed at the end of an option is no part of it', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  for (const words of ['-x', '--ipv6=refuse', '--firewall=nft']) {
    const word = `word=$(printf '%s\\n.' ${words}); word=\${word%.}`;
    t.is(await lab.sh('client', `${word}; ${asked('-x "$word" 10.0.2.1 -- cat')}`), '', words);
  }
});

test.serial('what perl would act on is the command’s alone, and a perl on PATH is not asked', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  await lab.sh(
    'client',
    'mkdir /run/other; printf "#!/bin/sh\\necho junk\\n" >/run/other/perl; chmod +x /run/other/perl',
  );
  const variables = [
    ...'PERL5OPT=-Mnowhere PERL5LIB=/nowhere PERLIO=:crlf PERL_UNICODE=63 PERL.X=1 PERL-X=2'.split(' '),
    'PERL5DB=',
    'PERL_OWN=3',
    'PATH=/run/bin:/run/other:/usr/bin:/bin',
  ];
  const script = `${WITHOUT_NODE}; exec env -i "$@" ${viaBin} -x 10.0.2.1 /usr/bin/printenv`;
  const plain = variables.filter((name) => !/^\w+[.-]/.test(name));
  const { stdout, stderr } = await lab.run('client', ['sh', '-c', script, 'sh', ...plain]);
  t.deepEqual([stdout.split('\n').slice(0, -1).sort(), stderr], [[...plain].sort(), '']);
  // Names that the shell drops are put back by Node.
  const odd = await lab.run('client', [
    'env',
    '-i',
    ...variables,
    `PATH=${process.env['PATH']}`,
    viaBin,
    '-x',
    '10.0.2.1',
    '/usr/bin/printenv',
  ]);
  t.regex(odd.stdout, /^PERL\.X=1$/m);
  t.regex(odd.stdout, /^PERL-X=2$/m);
});

test.serial(
  'pipes, links and directories in place of its files: nobody waits, and nothing is written elsewhere',
  async (t) => {
    const lab = await makeLab(t, { servers: false });
    await known(t, lab);
    const uuid = '00000000-0000-4000-8000-000000000000';
    await lab.sh('client', 'echo untouched >/run/victim; cp /run/via/intact-* /run/found');
    const own = 'for f in /run/via/intact-*; do rm -rf "$f";';
    for (const script of [
      `mkfifo /run/via/group-${uuid} /run/via/iptables-1 /run/via/sysctl-1-c2`,
      `ln -s /dev/zero /run/via/intact-${uuid}`,
      `${own} mkfifo "$f"; done`,
      `${own} mkdir "$f"; done`,
      `${own} ln -s /run/victim "$f"; done`,
      `${own} ln -s "$f" "$f"; done`,
      `${own} ln -s /dev/zero "$f"; done`,
      `${own} truncate -s 1G "$f"; done`,
      'ln -s /dev/zero /run/via/iptables-1',
      'ln -s iptables-1 /run/via/iptables-1',
      'for f in /run/via/group-*; do mkfifo "/run/via/state-${f#*group-}"; done',
    ]) {
      await lab.sh('client', script);
      for (const words of [['-x'], []]) {
        const { code, stdout, stderr, timedOut } = await lab.via([...words, '10.0.2.1', '--', 'echo', 'ran'], {
          timeout: 8000,
        });
        t.deepEqual([code, stdout, stderr, timedOut], [0, 'ran\n', '', false], script);
      }
      t.is((await lab.via(['status', '--json'], { timeout: 8000 })).code, 0, script);
      await lab.sh('client', `rm -rf /run/via/state-* /run/via/*-${uuid} /run/via/*-1 /run/via/*-1-c2`);
    }
    t.is(await lab.sh('client', 'cat /run/victim'), 'untouched\n');
  },
);

test.serial('a command on a file system without programs is refused in words of via', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  await lab.sh('lan', 'mkdir /run/data; mount -t tmpfs -o noexec data /run/data; cp /bin/true /run/data/program');
  for (const name of ['/run/data/program', 'program']) {
    const script = `PATH=$PATH:/run/data; exec ${viaBin} -x 10.0.2.1 ${name}`;
    const { code, stderr } = await lab.run('client', ['sh', '-c', script]);
    t.deepEqual([code, stderr], [126, `via: command "${name}": permission denied\n`]);
  }
});

test.serial('a group that was found in order before the kernel knew IPv6', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  // Four lines of IPv4's, three of IPv6's.
  const before = 'for f in /run/via/intact-*; do sed -i -e "/^job ip -6/d" -e 10,12d "$f"; done';
  t.regex(await lab.sh('client', 'sed -n 10,12p /run/via/intact-*'), /^.*fe80::.*$/m);
  t.is(await lab.sh('client', `${before}; ${ASKED}`), '');
});

test.serial('where sh is bash, functions of the caller’s stay out of the set-up', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  const script = `mount --bind "$(command -v bash)" "$(readlink -f /bin/sh)"
    function $name { :; }; export -f "$name"; builtin exec "$@"`;
  const read = 'import os; print(open("/proc/self/cgroup").read(), *os.environ)';
  const names =
    '[ bash cat command echo env ip kill nft nice node perl printf prlimit read readlink sh true ulimit'.split(' ');
  for (const name of names)
    for (const words of [['-x'], []]) {
      const by = [viaBin, ...words, '10.0.2.1', '--', '/usr/bin/python3', '-I', '-S', '-c', read];
      const inside = ['unshare', '--mount', 'bash', '-c', script.replaceAll('$name', name), 'bash'];
      const { code, stdout, stderr } = await lab.run('client', [...inside, ...by]);
      t.deepEqual([code, stderr], [0, ''], `${words.join()} ${name}`);
      t.regex(stdout, /net_cls[^:]*:\/via-[\da-f-]{36}$/m, `${words.join()} ${name}`);
      t.true(stdout.includes(`BASH_FUNC_${name}%%`), name);
    }
});

test.serial('a user neither reads what it needs nor joins', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  const { stdout } = await lab.run('client', ['setpriv', '--reuid', '65534', '--clear-groups', 'sh', '-c', ASKED]);
  t.is(stdout, '');
});

test.serial('nor does a user who may read everything', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  const rights = '+dac_override,+dac_read_search,+net_admin,+sys_admin,+sys_ptrace';
  const user = ['setpriv', '--reuid', '65534', '--inh-caps', rights, '--ambient-caps', rights];
  const { stdout } = await lab.run('client', [...user, 'sh', '-c', `cat /run/via/intact-* | wc -l; ${ASKED}`]);
  t.regex(stdout, /^[1-9]\d*\n$/);
});

test.serial('a perl that says anything else is not heard', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await known(t, lab);
  const script = `printf '#!/bin/sh\necho junk\n' >/run/perl; chmod +x /run/perl; mount --bind /run/perl /usr/bin/perl; exec "$@"`;
  const by = [viaBin, '-x', '10.0.2.1', '--', 'echo', 'ran'];
  const { code, stdout, stderr } = await lab.run('client', ['unshare', '--mount', 'sh', '-c', script, 'sh', ...by]);
  t.deepEqual([code, stdout, stderr], [0, 'ran\n', '']);
});

test('it leaves to Node what a launch has something to say of', (t) => {
  const names = /\$telling = qr\/\^\(\?:(.*)\)\$\//.exec(readFileSync(joinBin, 'utf8'))?.[1]?.split('|');
  t.deepEqual(names?.sort(), [...TELLING].sort());
});

test('it holds to what `use strict` asks for', async (t) => {
  const { run } = await import('../helpers/exec.js');
  const { stderr } = await run(['perl', '-Mstrict', '-wc', joinBin]);
  t.is(stderr, `${joinBin} syntax OK\n`);
});
