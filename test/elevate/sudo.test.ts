import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { programsOf } from '../helpers/calls.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { pty } from '../helpers/pty.js';
import { refused } from '../helpers/refused.js';
import { root, viaBin } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';
import { watchTools } from '../helpers/tools.js';
import { addUsers, as, setupBin, users, viaAs } from '../helpers/user.js';

const curl = ['curl', '-sS', '-m', '5', 'http://203.0.113.10/'];

/** A lab with users whom sudo lets do this. */
async function labWith(t: ExecutionContext, sudoers?: string[], servers = false): Promise<Lab> {
  const lab = await makeLab(t, { servers });
  await addUsers(lab, sudoers);
  return lab;
}

const stay = (lab: Lab, user: 'ada' | 'bob', ...words: string[]) => {
  const command = ['sh', '-c', 'echo in; read -r word'];
  return lab.start('client', [...as(user), viaBin, ...words, '--', ...command], { detached: true });
};

test.serial('a user runs a command by a gateway, as himself, and nothing is left', async (t) => {
  const lab = await labWith(t, undefined, true);
  for (const options of [[], ['-x']]) {
    const { result, left } = await leaving(lab, async () => {
      const one = await viaAs(lab, 'ada', [
        ...options,
        '10.0.2.1',
        '--',
        'sh',
        '-c',
        `${curl.join(' ')}; id -u; id -G`,
      ]);
      await kept(lab);
      return one;
    });
    t.deepEqual([result.code, result.stderr], [0, '']);
    t.regex(result.stdout, /^g2 10\.0\.2\.2 /);
    t.true(result.stdout.endsWith(`\n${users.ada}\n${users.ada} ${users.ada + 100}\n`), result.stdout);
    t.deepEqual(left, [], options.join());
  }
});

test.serial('environment, limits, directory and session of the command are its user’s, byte for byte', async (t) => {
  const lab = await labWith(t);
  const set =
    `DISPLAY=:7 WAYLAND_DISPLAY=wayland-7 XDG_RUNTIME_DIR=/run/user/7 XDG_SESSION_ID=x DBUS_SESSION_BUS_ADDRESS=unix:path=/x
    SSH_AUTH_SOCK=/tmp/agent LD_PRELOAD=libm.so.6 NODE_OPTIONS=--no-warnings NODE_PATH=/x A.B=odd SUDO_ASKPASS=/x`.split(
      /\s+/,
    );
  const dump = `cat /proc/self/environ; ulimit -a; id; pwd; ps -o sid=,pgid= $$ | wc -l; umask; grep -e ^Cap -e NoNew /proc/self/status`;
  const command = ['bash', '-c', dump];
  const limits = ['bash', '-c', 'ulimit -n 900; ulimit -f 100000; umask 027; cd /tmp; exec "$@"', 'bash'];
  const by = (...words: string[]) =>
    lab.run('client', [...limits, ...as('ada'), ...set, ...words, ...command], { detached: true });
  const plain = await by();
  t.is(plain.code, 0);
  for (const options of [[], ['-x']]) {
    const one = await by(viaBin, '--elevate=sudo', ...options, '10.0.2.1', '--');
    t.deepEqual([one.code, one.stderr], [0, '']);
    t.is(sorted(one.stdout), sorted(plain.stdout), options.join());
  }
  await kept(lab);
});

/** The environment's variables in any order. */
const sorted = (text: string): string => text.split('\0').sort().join('\0');

test.serial('the second launch of a way out needs nobody’s leave; another gateway does', async (t) => {
  const lab = await labWith(t, undefined, true);
  const first = stay(lab, 'ada', '10.0.2.1');
  await first.waitFor(/in/);
  await lab.sh(
    'client',
    'umount /etc/sudoers; echo "root ALL=(ALL) ALL" >/run/etc/none; chmod 440 /run/etc/none; mount --bind /run/etc/none /etc/sudoers',
  );
  for (const options of [[], ['-x'], ['-v']]) {
    const second = await viaAs(lab, 'ada', [...options, '10.0.2.1', '--', ...curl]);
    t.deepEqual([second.code, second.stdout.split(' ')[0]], [0, 'g2'], second.stderr);
    t.regex(
      second.stderr,
      options[0] === '-v'
        ? /^echo \$\$ > \/run\/via\/net_cls\/via-[\da-f-]+\/u61234-[\da-f]{32}\/cgroup.procs\n(# .*\n)?$/
        : /^$/,
    );
  }
  // Without a word to the kernel but the one by which she joins.
  t.deepEqual(await programsOf(lab, ['10.0.2.1', '--', '/bin/true'], as('ada')), ['via', 'node', 'true']);
  refused(t, await viaAs(lab, 'ada', ['10.0.1.3', '--', 'echo', 'ran']), /^via: elevation sudo: /);
  refused(t, await viaAs(lab, 'ada', ['--no-lan', '10.0.2.1', '--', 'echo', 'ran']), /^via: elevation sudo: /);
  refused(t, await viaAs(lab, 'bob', ['10.0.2.1', '--', 'echo', 'ran']), /^via: elevation sudo: /);
  first.write('end\n');
  t.is((await first.done).code, 0);
  await kept(lab);
  // Nobody is in it any more.
  refused(t, await viaAs(lab, 'ada', ['10.0.2.1', '--', 'echo', 'ran']), /^via: elevation sudo: /);
});

test.serial('everybody has a group of his own, and gets at nobody else’s', async (t) => {
  const lab = await labWith(t);
  const command = ['sh', '-c', 'grep net_cls /proc/self/cgroup; read -r word'];
  const start = (by: string[]) =>
    lab.start('client', [...by, viaBin, '10.0.2.1', '--', ...command], { detached: true });
  const all = [start([]), start(as('ada')), start(as('bob'))];
  const places = [];
  for (const one of all) places.push((await one.waitFor(/net_cls[^:]*:(\/via-\S+)/))[1] ?? '');
  t.is(new Set(places.map((place) => place.split('/')[1])).size, 3);
  t.regex(places.join(' '), /^\/via-[\da-f-]{36} \/via-\S+\/u61234-\S+ \/via-\S+\/u61235-\S+$/);
  const member = await lab.sh('client', `cat /run/via/net_cls${places[1]}/cgroup.procs`);
  const tries = [places[0], places[2], '', `${places[1]}/..`].flatMap((place) =>
    ['cgroup.procs', 'tasks', 'net_cls.classid', 'notify_on_release'].flatMap((file) => [
      `echo 0 >/run/via/net_cls${place}/${file}`,
      ...(place === '' ? [] : [`cat /run/via/net_cls${place}/${file}`]),
    ]),
  );
  const own = `/run/via/net_cls${places[1]}`;
  tries.push(
    `mkdir ${own}/sub`,
    `rmdir ${own}`,
    `echo 1 >${own}/net_cls.classid`,
    `chmod 777 ${own}`,
    `echo $PPID >${own}/tasks`,
    'echo 1 >' + own + '/cgroup.procs',
    'cat /run/via/group-*',
    'ls /run/via',
    'cat /run/via/lock',
    'exec 9>>/run/via/lock',
    'flock -n /run/via/lock true',
    `ls ${own}`,
    'echo x >/run/via/net_cls/release_agent',
    'touch /run/via/group-x',
    'ln -s /etc/passwd /run/via/state-x',
    'mv /run/via/lock /run/via/x',
    'for f in /run/via/keeper-*; do echo end >"$f"; done',
  );
  // A line each, in a shell each: a failed redirection ends one.
  const script = tries
    .map(
      (line) =>
        `sh -c ${JSON.stringify(line.replaceAll('$', '\\$'))} 2>/dev/null && echo ${JSON.stringify(`WORKED ${line}`.replaceAll('$', '\\$'))}`,
    )
    .join('\n');
  const ada = await lab.run('client', [...as('ada'), 'sh', '-c', `${script}\n:`]);
  t.is(ada.stdout, '');
  // bob moves ada's process nowhere, and what he may write he writes for his own only.
  for (const pid of member.trim().split('\n')) {
    const bob = await lab.run('client', [
      ...as('bob'),
      'sh',
      '-c',
      `echo ${pid} >/run/via/net_cls${places[2]}/cgroup.procs`,
    ]);
    t.not(bob.code, 0, pid);
    // Nor empties anybody's group: into root's, or out of all.
    for (const place of [places[0], '']) {
      const away = `echo ${pid} >/run/via/net_cls${place}/cgroup.procs`;
      t.not((await lab.run('client', [...as('bob'), 'sh', '-c', away])).code, 0);
      t.not((await lab.run('client', [...as('ada'), 'sh', '-c', away])).code, 0);
    }
  }
  t.is(await lab.sh('client', `cat /run/via/net_cls${places[1]}/cgroup.procs`), member);
  for (const one of all) one.write('end\n');
  await Promise.all(all.map(({ done }) => done));
  await kept(lab);
});

test.serial('sixteen groups for a user, and others still get theirs', async (t) => {
  const lab = await labWith(t);
  const options = ['', '--ipv6=allow', '--no-lan', '--ipv6=allow --no-lan'];
  const ways = ['10.0.1.1', '10.0.1.3', '10.0.2.1'].flatMap((gateway) =>
    options.map((more) => `${more} ${gateway}`.trim()),
  );
  const more = options.map((one) => `${one.replace('ipv6', 'ipv4')} fd02::1`.trim());
  const all = [...ways, ...more].map((words) => stay(lab, 'ada', ...words.split(' ')));
  t.is(all.length, 16);
  for (const one of all) await one.waitFor(/in/, { timeout: 20_000 });
  refused(
    t,
    await viaAs(lab, 'ada', ['fd01::3', '--', 'echo', 'ran']),
    /^via: group: user 61234 has 16 groups already, and may have 16 \(end a command that uses one\)$/m,
  );
  t.is((await viaAs(lab, 'bob', ['fd01::3', '--', 'echo', 'ran'])).stdout, 'ran\n');
  t.is((await viaAs(lab, 'ada', ['10.0.1.3', '--', 'echo', 'ran'])).stdout, 'ran\n');
  for (const one of all) one.write('end\n');
  await Promise.all(all.map(({ done }) => done));
  await kept(lab);
});

test.serial('refusals are one line each, and change nothing', async (t) => {
  const lab = await labWith(t, ['via-ada ALL=(root) NOPASSWD: /bin/true', `via-bob ALL=(root) ${setupBin}`]);
  const echo = ['10.0.2.1', '--', 'echo', 'ran'];
  const strange = ['setpriv', '--reuid=61999', '--regid=61999', '--clear-groups'];
  await lab.sh(
    'client',
    `cp -rL ${root}/bin /run/install-bin; mkdir -p /run/install; mv /run/install-bin /run/install/bin; cp -r ${root}/dist /run/install; chown -R root:root /run/install; chmod 755 /run/install; chown ${users.ada} /run/install/dist`,
  );
  const rows: [string[], string[], RegExp][] = [
    [as('ada'), [viaBin, ...echo], /^via: elevation sudo: (a password is required|.*not allowed.*|.*may not run.*) \(/],
    [
      as('bob'),
      [viaBin, ...echo],
      /^via: elevation sudo: a password is required \(there is no terminal to ask on; see via\(1\)/,
    ],
    [as('bob'), [viaBin, '-x', ...echo], /^via: elevation sudo: a password is required/],
    [
      as('bob'),
      [viaBin, '--elevate=none', ...echo],
      /^via: launch: not root \(sudo via --elevate=none 10\.0\.2\.1 -- echo ran\)/,
    ],
    [
      strange,
      [viaBin, ...echo],
      /^via: elevation sudo: (you do not exist in the passwd database|unknown uid 61999.*) \(/,
    ],
    [[...as('bob'), 'setpriv', '--no-new-privs'], [viaBin, ...echo], /^via: elevation: no_new_privs is set \(/],
    [[...as('bob'), 'unshare', '--user'], [viaBin, ...echo], /^via: elevation: in a user namespace \(/],
    [
      ['setpriv', '--bounding-set=-net_admin', ...as('bob')],
      [viaBin, ...echo],
      /^via: elevation: CAP_NET_ADMIN cannot be had \(/,
    ],
    [
      as('bob'),
      ['/run/install/bin/via', ...echo],
      /^via: elevation \/run\/install\/dist: others than root can change it, so it is not run as root \(/,
    ],
    [as('bob'), [viaBin, '10.0.2', '--', 'echo', 'ran'], /^via: gateway "10\.0\.2": not an IPv4 address/],
  ];
  const { left } = await leaving(lab, async () => {
    for (const [by, words, line] of rows)
      refused(t, await lab.run('client', [...by, ...words], { detached: true }), line, words.join(' '));
  });
  t.deepEqual(left, []);
});

test.serial('what root says is said by via, once', async (t) => {
  const lab = await labWith(t);
  const { left } = await leaving(lab, async () => {
    refused(t, await viaAs(lab, 'ada', ['10.9.9.9', '--', 'echo', 'ran']), /^via: gateway "?10\.9\.9\.9"?: /);
    refused(t, await viaAs(lab, 'ada', ['%nodev', '--', 'echo', 'ran']), /^via: .*nodev/);
    // sudo ends as the set-up does.
    await lab.sh(
      'client',
      `printf '#!/bin/sh\\nkill -9 $$\\n' >/run/killed; chmod 755 /run/killed; mount --bind /run/killed "$(readlink -f /usr/bin/sudo)"`,
    );
    const killed = await viaAs(lab, 'ada', ['10.0.2.1', '--', 'echo', 'ran']);
    t.deepEqual([killed.code, killed.stderr], [125, 'via: elevation sudo: killed by SIGKILL\n']);
    await lab.sh('client', 'umount "$(readlink -f /usr/bin/sudo)"; rm /run/killed');
  });
  t.deepEqual(left, []);
});

test.serial('a user who is in there, or has a file of it open, keeps nobody from taking all away', async (t) => {
  const lab = await labWith(t);
  const start = (user: 'ada' | 'bob', ...words: string[]) =>
    lab.start('client', [...as(user), ...words], { detached: true });
  const hers = start('ada', viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; exec cat');
  await hers.waitFor(/in/);
  const script = 'exec 5</run/via/net_cls/tasks; cd /run/via/net_cls; echo there; exec cat';
  const his = start('bob', 'sh', '-c', script);
  await his.waitFor(/there/);
  const roots = lab.start('client', [viaBin, '10.0.1.1', '--', 'cat']);
  await until('root is in', async () => (await lab.sh('client', 'ip rule')).split('fwmark').length === 3);
  hers.stdin.end();
  await hers.done;
  roots.stdin.end();
  const { code, stderr } = await roots.done;
  t.deepEqual([code, stderr], [0, '']);
  await kept(lab, 1);
  t.is(
    await lab.sh('client', '{ ls -d /run/via 2>/dev/null; grep net_cls /proc/self/mountinfo; nft list tables; } || :'),
    '',
  );
  const again = await lab.via(['-v', '10.0.1.1', '--', 'true']);
  t.deepEqual([again.code, again.stderr.match(/^via: .*/m)], [0, null]);
  his.stdin.end();
  await his.done;
  await kept(lab);
});

for (const defaults of ['!use_pty', 'use_pty'])
  test.serial(`sudo asks on the terminal, and does not eat what the command reads: ${defaults}`, async (t) => {
    const lab = await labWith(t, [`Defaults ${defaults}`, `via-ada ALL=(root) ${setupBin}`]);
    const words = `printf 'fed\\n' | ${viaBin} 10.0.2.1 -- cat; echo "status $?"; stty -a | grep -o ' echo '`;
    for (const [password, sees] of [
      ['secret', /fed\r\nstatus 0\r\n echo/],
      ['wrong', /via: elevation sudo: .*\r\nstatus 125/],
    ] as const) {
      const terminal = pty(lab, [...as('ada'), 'sh', '-c', words]);
      await terminal.see(/password/i);
      terminal.type(`${password}\n`);
      for (let n = 0; n < 2 && password === 'wrong'; n++) {
        await terminal.see(/password/i);
        terminal.type(`${password}\n`);
      }
      await terminal.see(sees, 20_000);
      t.truthy(await terminal.program.done);
    }
    await kept(lab);
  });

test.serial('a via that is killed, also while root works for it, leaves nothing', async (t) => {
  const lab = await labWith(t);
  const { left } = await leaving(lab, async () => {
    for (const after of [0, 30, 60, 90, 120, 150, 180, 220, 260, 300, 400]) {
      const one = lab.start('client', [...as('ada'), viaBin, '10.0.2.1', '--', 'sleep', '0.5'], { detached: true });
      await new Promise((resolve) => setTimeout(resolve, after));
      one.kill('SIGKILL');
      await one.done;
    }
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('via in via, and out again: the inner one wins', async (t) => {
  const lab = await labWith(t, undefined, true);
  const ask = `${curl.join(' ')} | cut -d ' ' -f 1`;
  for (const x of ['', '-x ']) {
    const { result, left } = await leaving(lab, async () => {
      const script = `${ask}; ${viaBin} ${x}10.0.1.3 -- sh -c "${ask}"; ${viaBin} none ${x}-- sh -c "${ask}"; ${viaBin} ${x}10.0.2.1 -- sh -c "${ask}"
        ${viaBin} none ${x}-- sh -c '${viaBin} none -- ${curl.join(' ')} | cut -c 1-2; ${viaBin} ${x}10.0.1.3 -- ${curl.join(' ')} | cut -c 1-2'; ${ask}`;
      const one = await viaAs(lab, 'ada', ['10.0.2.1', '--', 'sh', '-c', script]);
      await kept(lab);
      return one;
    });
    t.deepEqual([result.code, result.stderr], [0, '']);
    t.is(result.stdout, 'g2\ng3\ng1\ng2\ng1\ng3\ng2\n');
    t.deepEqual(left, []);
  }
});

test.serial('who has left by none is in no group, and keeps none from going', async (t) => {
  const lab = await labWith(t);
  for (const x of ['', '-x ']) {
    const { result, left } = await leaving(lab, async () => {
      const script = `${viaBin} none -- ${viaBin} status self; echo $?; ${viaBin} none ${x}-- sh -c 'sleep 600 >/dev/null 2>&1 & echo $!'`;
      const one = await viaAs(lab, 'ada', ['10.0.2.1', '--', 'sh', '-c', script]);
      const pid = Number(one.stdout.split('\n')[1]);
      // It lives on, and nothing of the group does.
      await kept(lab, 1);
      t.regex(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), /:net_cls[^:]*:\/(?!.*via-[\da-f]{8}-)/m);
      process.kill(pid);
      await kept(lab);
      return one;
    });
    t.deepEqual([result.code, result.stderr, result.stdout.split('\n')[0]], [0, '', '1']);
    t.deepEqual(left, []);
  }
});

test.serial('out of a group that root has put a user into, which takes root as well', async (t) => {
  const lab = await labWith(t, undefined, true);
  const command = [viaBin, 'none', '--', ...curl];
  for (const [user, line] of [
    ['ada', /^g1 /],
    ['bob', /^$/],
  ] as const) {
    if (user === 'bob') await lab.sh('client', 'umount /etc/sudoers');
    const { stdout, stderr } = await lab.run('client', [viaBin, '10.0.2.1', '--', ...as(user), ...command], {
      detached: true,
    });
    t.regex(stdout, line, stderr);
    if (user === 'bob') t.regex(stderr, /^via: elevation sudo: [^\n]*\n$/);
  }
  await kept(lab);
});

test.serial('all is gone soon after the last command of a user has ended', async (t) => {
  const lab = await labWith(t);
  for (const options of [[], ['-x']]) {
    const one = await viaAs(lab, 'ada', [...options, '10.0.2.1', '--', 'sleep', '0.3']);
    t.is(one.code, 0);
    const began = performance.now();
    await lab.sh('client', 'while [ -e /run/via ]; do sleep 0.02; done', { timeout: 10_000 });
    const took = performance.now() - began;
    t.log(`${Math.round(took)} ms`);
    t.true(took < 3000);
  }
});

for (const options of [[], ['-x']])
  test.serial(`by iptables: ${options.join(' ')}`, async (t) => {
    const lab = await labWith(t, undefined, true);
    const { result, left } = await leaving(lab, async () => {
      const words = [...options, '--firewall', 'iptables', '--elevate', 'sudo', '10.0.2.1', '--'];
      const first = lab.start('client', [...as('ada'), viaBin, ...words, 'sh', '-c', 'echo in; read -r word'], {
        detached: true,
      });
      await first.waitFor(/in/);
      const second = await viaAs(lab, 'ada', [...words, ...curl]);
      const bob = await viaAs(lab, 'bob', [...words, 'cat', '/proc/self/cgroup']);
      const root = await lab.via(['--firewall=iptables', '10.0.2.1', '--', 'cat', '/proc/self/cgroup']);
      first.write('end\n');
      await first.done;
      await kept(lab);
      return [second.stdout, bob.stdout, root.stdout];
    });
    t.regex(result[0] ?? '', /^g2 /);
    t.is(new Set(result.slice(1).map((text) => /via-[\da-f-]+/.exec(text)?.[0])).size, 2);
    t.deepEqual(
      left.filter((line) => !/nf_conntrack|modules/.test(line)),
      [],
    );
  });

test.serial('^C at the password ends via as it ends any command, and the terminal is as it was', async (t) => {
  const lab = await labWith(t, [`via-ada ALL=(root) ${setupBin}`]);
  const { left } = await leaving(lab, async () => {
    const script = `trap : INT; ${viaBin} 10.0.2.1 -- echo ran; echo "status $?"; stty -a | grep -o ' echo '`;
    const terminal = pty(lab, [...as('ada'), 'sh', '-c', script]);
    await terminal.see(/password/i);
    terminal.type('\x03');
    t.truthy(await terminal.see(/status 130\r\n echo/, 10_000));
    t.notRegex(terminal.program.stdout, /ran/);
    await terminal.program.done;
  });
  t.deepEqual(left, []);
});

for (const defaults of ['!use_pty', 'use_pty'])
  test.serial(`a signal while sudo asks for the password ends via and the prompt: ${defaults}`, async (t) => {
    const lab = await labWith(t, [`Defaults ${defaults}`, `via-ada ALL=(root) ${setupBin}`]);
    const asks = (): boolean => lab.processes().some(({ argv }) => argv[0]?.endsWith('/sudo') === true);
    for (const [signal, status] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
      ['SIGHUP', 129],
      ['SIGQUIT', 131],
    ] as const) {
      const { left } = await leaving(lab, async () => {
        const script = `trap : INT; ${viaBin} 10.0.2.1 -- echo ran; echo "status $?"; stty -a | grep -o ' -\\?echo '; cat`;
        const terminal = pty(lab, [...as('ada'), 'sh', '-c', script]);
        await terminal.see(/password/i);
        t.true(asks());
        const via = lab.processes().find(({ argv }) => argv.some((word) => word.endsWith('/start.cjs')));
        // To via alone: sudo is not told by the terminal.
        process.kill(via!.pid, signal);
        t.truthy(await terminal.see(new RegExp(`status ${status}\r\n echo `), 10_000), signal);
        t.false(asks());
        t.notRegex(terminal.program.stdout, /ran/);
        // What is typed then is for nobody but the shell's next command.
        terminal.type('typed\n');
        await terminal.see(/typed\r\ntyped/);
        terminal.type('\x04');
        await terminal.program.done;
      });
      t.deepEqual(left, [], signal);
      t.deepEqual(lab.processes(), []);
    }
  });

test.serial('sudo via: the command is root’s, as with nice, and the group too', async (t) => {
  const lab = await labWith(t, [`via-ada ALL=(root) NOPASSWD: ${viaBin}`], true);
  const { result, left } = await leaving(lab, async () => {
    const command = ['sh', '-c', `id -u; ${curl.join(' ')}; grep net_cls /proc/self/cgroup; echo "$SUDO_USER"`];
    const words = ['sudo', '-n', viaBin, '10.0.2.1', '--', ...command];
    return lab.run('client', [...as('ada'), ...words], { detached: true });
  });
  t.deepEqual([result.code, result.stderr], [0, '']);
  t.regex(result.stdout, /^0\ng2 [^\n]*\n[^\n]*\/via-[\da-f-]{36}\nvia-ada\n$/);
  t.deepEqual(left, []);
});

test.serial('a router that does not answer is asked for without the lock: nobody else waits for it', async (t) => {
  const lab = await labWith(t);
  const tools = await watchTools(lab);
  const { left } = await leaving(lab, async () => {
    // So that there is a lock; the keeper has it for a moment.
    const held = await hold(lab, '10.0.1.3');
    const trouble = 'sh flock -w 5 /run/via/lock true && echo free >>/run/asked || echo held >>/run/asked' as const;
    const act = () => viaAs(lab, 'ada', ['10.0.1.77', '--', 'true']);
    const { result, steps } = await tools.during(trouble, 'ip_-N_-j.1', act, 99);
    t.deepEqual([result.code, result.stderr], [0, '']);
    t.true(steps.filter((step) => step.startsWith('ip_-N_-j.')).length > 3, steps.join(' '));
    t.regex(await lab.sh('client', 'cat /run/asked; rm /run/asked'), /^(free\n)+$/);
    await held.release();
    await kept(lab);
  });
  t.deepEqual(
    left.filter((line) => !/ 10\.0\.1\.77 /.test(line)),
    [],
  );
});
