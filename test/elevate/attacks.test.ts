import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { addUsers, as, setupBin, users, viaAs } from '../helpers/user.js';
import { python, root } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';

/** The set-up, asked by a shell of ada's with a document of her own making. */
const ask = `start() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }
document() { printf '{"pid":%s,"start":"%s","word":"launch","gateway":"%s","ipv4":"refuse","ipv6":"refuse","lan":true,"firewall":"auto","verbose":false,"pids":"","tree":false}\\n' "$@"; }
setup() { sudo -n ${setupBin}; }
`;

async function labWithUsers(t: ExecutionContext): Promise<Lab> {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab);
  return lab;
}

const PATH = /^\{"path":"\/run\/via\/net_cls\/via-[\da-f-]{36}\/u61234-[\da-f]{32}","changes":\[\],"errors":\[\]\}\n$/;
const error = (why: string): RegExp => new RegExp(`^\\{"error":"set-up ${why}"\\}\\n$`);

/** What ada tries, and what is answered. $other and $hers are processes of bob's and of hers; $root is root's. */
const tries: Record<string, [script: string, answer: RegExp]> = {
  'the right document': ['document $$ "$(start $$)" 10.0.2.1 | setup', PATH],
  'from deeper down': ['document $$ "$(start $$)" 10.0.2.1 | sh -c "sh -c \\"sudo -n $0\\""', PATH],
  "another user's process": [
    'document $other "$(start $other)" 10.0.2.1 | setup',
    error('process \\d+: not the one that asks'),
  ],
  'a process of hers that does not ask': [
    'document $hers "$(start $hers)" 10.0.2.1 | setup',
    error('process \\d+: not the one that asks'),
  ],
  'the parent of her shell, which is root’s': [
    'document $PPID "$(start $PPID)" 10.0.2.1 | setup',
    error('process \\d+: not of user 61234 alone'),
  ],
  'a process that is not there': [
    'document 4194303 7 10.0.2.1 | setup',
    error('process 4194303: not the one that asks'),
  ],
  'a number that is used again': ['document $$ 7 10.0.2.1 | setup', error('process \\d+: not the one that asked')],
  'a parent that has died': [
    'sh -c \'echo $$\' >"$HOME/dead"; document "$(cat "$HOME/dead")" 7 10.0.2.1 | setup',
    error('process \\d+: not the one that asks'),
  ],
  'a parent that dies meanwhile': [
    `(sh -c '${ask.replaceAll("'", "'\\''")} text=$(document $$ "$(start $$)" 10.0.2.1); { echo "$text"; sleep 1; } | { setup; echo end; } & kill -9 $$'; sleep 2) | cat`,
    /^(\{"error":"set-up process \d+: not [^"]*"\}\n|\{"path":"[^"]*","changes":\[\],"errors":\[\]\}\n)end\n$/,
  ],
  'a gateway for nft': [
    'document $$ "$(start $$)" \'10.0.2.1; flush ruleset\' | setup',
    /^\{"error":"gateway .*neither an address nor a device name via takes.*\}\n$/,
  ],
  'a device for a shell': [
    'document $$ "$(start $$)" \'%$(id)\' | setup',
    /^\{"error":"gateway .*neither an address nor a device name via takes.*\}\n$/,
  ],
  nothing: [': | setup', error('document: cut off')],
  'cut off': ['printf \'{"pid":1\' | setup', error('document: cut off')],
  huge: ['head -c 3000000 /dev/zero | tr "\\0" 1 | setup', error('document: too long')],
  'without an end': ['{ head -c 100 /dev/zero; sleep 15; } | setup', error('document: cut off')],
  'a key twice': ['document $$ 7 10.0.2.1 | sed \'s/{/{"pid":1,/\' | setup', error('document: .*pid.* is there twice')],
  'an argument': [`: | sudo -n ${setupBin} x`, /^$/],
  umask: ['umask 777; document $$ "$(start $$)" 10.0.2.1 | setup', PATH],
  'a directory that is gone': [
    'mkdir "$HOME/d"; cd "$HOME/d"; rmdir "$HOME/d"; document $$ "$(start $$)" 10.0.2.1 | setup',
    PATH,
  ],
  'argv[0]': ['document $$ "$(start $$)" 10.0.2.1 | bash -c "exec -a ../../evil sudo -n $0"', PATH],
  'the environment': [
    `printf '#!/bin/sh\\ntouch /run/home/via-ada/evil\\n' >"$HOME/nft"; chmod 755 "$HOME/nft"; for tool in node ip sh env setsid chrt flock; do ln -s nft "$HOME/$tool"; done
    echo 'require("fs").writeFileSync("/run/home/via-ada/evil", "")' >"$HOME/evil.js"; echo 'touch /run/home/via-ada/evil' >"$HOME/evil.sh"
    document $$ "$(start $$)" 10.0.2.1 | /usr/bin/env PATH="$HOME:$PATH" NODE_OPTIONS="--require=$HOME/evil.js" NODE_PATH="$HOME" BASH_ENV="$HOME/evil.sh" ENV="$HOME/evil.sh" \\
      LD_PRELOAD="$HOME/evil.so" LD_LIBRARY_PATH="$HOME" LD_AUDIT="$HOME/evil.so" IFS=/ PS4='$(touch /run/home/via-ada/evil)' SHELLOPTS=xtrace 'BASH_FUNC_exec%%=() { touch /run/home/via-ada/evil; }' \\
      SUDO_UID=0 PKEXEC_UID=0 OPENSSL_CONF="$HOME/evil.js" /usr/bin/sudo -n $0 2>/dev/null; [ ! -e "$HOME/evil" ] || echo EVIL`,
    PATH,
  ],
};

test.serial('what somebody who may ask can try by asking', async (t) => {
  const lab = await labWithUsers(t);
  const sleeper = (user: 'ada' | 'bob') =>
    lab.own(lab.start('client', [...as(user), 'sleep', '300'], { detached: true }));
  const env = { other: `${sleeper('bob').pid}`, hers: `${sleeper('ada').pid}` };
  for (const [what, [script, answer]] of Object.entries(tries)) {
    const { result, left } = await leaving(lab, async () => {
      const one = await lab.run('client', [...as('ada'), 'sh', '-c', `${ask}${script}`, setupBin], {
        env,
        detached: true,
      });
      await kept(lab);
      return one;
    });
    t.regex(result.stdout, answer, `${what}: ${result.stderr}`);
    t.notRegex(result.stderr, /\n +at /, what);
    t.deepEqual(left, [], what);
  }
});

test.serial('closed descriptors and limits: it works or it is refused, and nothing is left', async (t) => {
  const lab = await labWithUsers(t);
  const hostile = {
    ...Object.fromEntries(
      ['<&-', '>&-', '2>&-', '<&- >&- 2>&-', '>/dev/full 2>/dev/full'].map((one) => [
        one,
        `document $$ "$(start $$)" 10.0.2.1 | sh -c "sudo -n $0 ${one}"`,
      ]),
    ),
    ...Object.fromEntries(
      ['-n 8', '-n 20', '-f 0', '-t 1', '-v 200000', '-u 5', '-s 64', '-d 1000'].map((limit) => [
        limit,
        `document $$ "$(start $$)" 10.0.2.1 >"$HOME/document"; bash -c 'ulimit ${limit}; exec sudo -n "$0" <"$HOME/document"' $0`,
      ]),
    ),
    'very nice': `document $$ "$(start $$)" 10.0.2.1 | chrt --idle 0 nice -n 19 sudo -n $0`,
  };
  for (const [what, script] of Object.entries(hostile)) {
    const { result, left } = await leaving(lab, async () => {
      const one = await lab.run('client', [...as('ada'), 'sh', '-c', `${ask}${script}`, setupBin], { detached: true });
      await kept(lab);
      return one;
    });
    t.false(result.timedOut, what);
    t.regex(result.stdout, /^(\{.*\}\n)?$/, what);
    t.deepEqual(left, [], what);
  }
});

test.serial('not by sudo or pkexec, with an argument, or as a user: refused', async (t) => {
  const lab = await labWithUsers(t);
  const rows: [string[], Record<string, string>, RegExp][] = [
    [[setupBin], {}, /^via: set-up: not started by sudo or pkexec\n$/],
    [[setupBin], { SUDO_UID: '0' }, /^via: set-up user 0: not a user who has to ask\n$/],
    [[setupBin], { SUDO_UID: '61234;id' }, /^via: set-up: not started by sudo or pkexec\n$/],
    [[setupBin, 'x'], { SUDO_UID: '61234' }, /^via: set-up: takes no arguments\n$/],
    [[...as('ada'), setupBin], { SUDO_UID: '61234' }, /^via: set-up: not root\n$/],
  ];
  await lab.sh(
    'client',
    `mkdir /run/install; cp -rL ${root}/bin ${root}/dist /run/install; chown -R root:root /run/install`,
  );
  // Asked by hand, without a via that looks before: nothing that is hers is run.
  for (const [name, by] of [
    ['bin/tracker', 'chown 61234'],
    ['dist/via.cjs', 'chown 61234'],
    ['bin/keeper', 'chmod o+w'],
    ['bin', 'chmod g+w'],
  ] as const) {
    const place = `/run/${name.replace('/', '-')}`;
    await lab.sh('client', `cp -r /run/install ${place}; ${by} ${place}/${name}`);
    rows.push([
      [`${place}/bin/setup`],
      { SUDO_UID: '61234' },
      new RegExp(`^via: set-up ${place}/${name}: others than root can change it\n$`),
    ]);
  }
  for (const [argv, env, line] of rows) {
    const { code, stderr } = await lab.run('client', argv, { env });
    t.is(code, 125);
    t.regex(stderr, line);
  }
});

test.serial('links and crafted names in /run/via lead nowhere', async (t) => {
  const lab = await labWithUsers(t);
  const uuid = '00000000-0000-4000-8000-000000000000';
  await lab.sh(
    'client',
    `umask 022; echo untouched >/run/victim; mkdir /run/via
    for name in group-${uuid} state-${uuid} intact-${uuid} sysctl-1-c2 iptables-1 mends-1 keeper-1 news-${uuid} news-${uuid}.new 'x;y' '$(id)' -rf 'group-..'; do ln -s /run/victim "/run/via/$name"; done`,
  );
  const one = await viaAs(lab, 'ada', ['10.0.2.1', '--', 'echo', 'ran']);
  t.deepEqual([one.code, one.stdout, one.stderr], [0, 'ran\n', '']);
  await kept(lab);
  t.is(await lab.sh('client', 'cat /run/victim; stat -c "%a %U" /run/victim'), 'untouched\n644 root\n');
  await lab.sh('client', 'rm -rf /run/via; mkdir /run/via; ln -s /run/victim /run/via/lock');
  refused(t, await viaAs(lab, 'ada', ['10.0.2.1', '--', 'echo', 'ran']), /^via: file \/run\/via\/lock: /);
  await lab.sh('client', `rm -rf /run/via; mkdir /run/via; chown ${users.ada} /run/via`);
  refused(
    t,
    await viaAs(lab, 'ada', ['10.0.2.1', '--', 'echo', 'ran']),
    /^via: directory \/run\/via: not a directory that only root can write/,
  );
  t.is(await lab.sh('client', 'cat /run/victim'), 'untouched\n');
});

/** Runs a program and follows all that it starts, as a debugger does. */
const tracer = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
pid = os.fork()
if pid == 0:
    libc.ptrace(0, 0, None, None)
    os.kill(os.getpid(), 19)
    os.execvp(sys.argv[1], sys.argv[1:])
os.waitpid(pid, 0)
libc.ptrace(0x4200, pid, None, ctypes.c_void_p(14))
libc.ptrace(7, pid, None, None)
while True:
    try:
        who, status = os.waitpid(-1, 0x40000000)
    except ChildProcessError:
        break
    if os.WIFSTOPPED(status):
        signal = os.WSTOPSIG(status)
        libc.ptrace(7, who, None, ctypes.c_void_p(0 if signal in (5, 19) else signal))
    elif who == pid:
        sys.exit(os.waitstatus_to_exitcode(status))
`;

test.serial('a via that is traced gets no set-up: what its tracer follows does not become root', async (t) => {
  const lab = await labWithUsers(t);
  const { result, left } = await leaving(lab, () =>
    lab.run(
      'client',
      [...as('ada'), ...python, '-c', tracer, setupBin.replace(/setup$/, 'via'), '10.0.2.1', '--', 'echo', 'ran'],
      { detached: true },
    ),
  );
  refused(t, result, /^via: elevation sudo: /);
  t.deepEqual(left, []);
});

test.serial(
  'the set-up is out of reach of whoever has asked, and keeps nobody out while it waits for him',
  async (t) => {
    const lab = await labWithUsers(t);
    const last = 'echo 1000 >/proc/self/oom_score_adj; renice -n 19 -p $$ >/dev/null; ionice -c 3 -p $$';
    const script = `${ask}ulimit -f 1000 -c unlimited; ${last}; { document $$ "$(start $$)" 10.0.2.1; read -r word; } | setup`;
    const env = { EVIL: '1', NODE_OPTIONS: '--no-warnings' };
    const one = lab.start('client', [...as('ada'), 'bash', '-c', script, setupBin], { detached: true, env });
    await one.waitFor(/"path"/);
    const setup = lab
      .processes()
      .find(({ argv }) => argv[0] === 'node' && argv.some((word) => word.endsWith('/setup.cjs')))?.pid;
    t.not(setup, undefined);
    const of = (name: string): string => readFileSync(`/proc/${setup}/${name}`, 'utf8');
    // What a terminal sends, it sends to its own session.
    const [, , , , session] = of('stat')
      .replace(/^(\d+) \(.*\) /, '$1 x ')
      .split(' ')
      .map(Number);
    t.not(session, one.pid);
    t.deepEqual(of('environ').split('\0').filter(Boolean).sort(), [
      'LC_ALL=C',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'PKEXEC_UID=',
      `SUDO_UID=${users.ada}`,
    ]);
    t.regex(of('status'), /^Umask:\t0077$/m);
    // Nor is what holds the lock, or keeps others' groups, the last to run and the first to be killed.
    for (const pid of [one.pid, setup, lab.keepers()[0]?.pid]) {
      const shown = `ps -o ni= -p ${pid}; ionice -p ${pid}; cat /proc/${pid}/oom_score_adj`;
      const [nice, io, oom] = (await lab.sh('client', shown)).split('\n').map((line) => line.trim());
      if (pid === one.pid) t.deepEqual([nice, io, oom], ['19', 'idle', '1000']);
      else t.deepEqual([nice, io?.split(':')[0], oom], ['0', 'none', '0']);
    }
    t.is(await lab.sh('client', 'flock -n /run/via/lock echo free'), 'free\n');
    t.not((await lab.run('client', [...as('ada'), 'kill', '-STOP', `${setup}`])).code, 0);
    t.is((await lab.via(['10.0.2.1', '--', 'echo', 'ran'])).stdout, 'ran\n');
    one.write('end\n');
    await one.done;
    await kept(lab);
  },
);

test.serial('whoever never joins and never ends is given up after ten seconds', async (t) => {
  const lab = await labWithUsers(t);
  const { result, left } = await leaving(lab, async () => {
    const script = `${ask}{ document $$ "$(start $$)" 10.0.2.1; sleep 13; } | setup`;
    const one = await lab.run('client', [...as('ada'), 'sh', '-c', script, setupBin], { detached: true });
    await kept(lab);
    return one;
  });
  t.regex(result.stdout, PATH);
  t.deepEqual(left, []);
});
