import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { python, viaBin } from '../helpers/paths.js';
import { probeCommand } from '../helpers/probes.js';
import { pty } from '../helpers/pty.js';
import { refused } from '../helpers/refused.js';
import { far } from '../helpers/topology.js';
import { addUsers, as, setupBin, viaAs, type User } from '../helpers/user.js';

async function labWith(t: ExecutionContext, sudoers?: string[], servers = false): Promise<Lab> {
  const lab = await makeLab(t, { servers });
  await addUsers(lab, sudoers);
  return lab;
}

/** The group that a process is in, as a path. */
const placeOf = (pid: number): string =>
  /net_cls[^:]*:(.*)/.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
const inOwn = /\/via-[\da-f-]{36}\/u61234-[\da-f]{32}$/;
const inNone = /^(?!.*\/via-[\da-f-]{36})/;

/** A process of a user's that stays until its input ends; it is his when this returns. */
async function stay(lab: Lab, user: User | 'root', command = ['cat'], place: 'client' | 'g1' = 'client') {
  const words = ['sh', '-c', 'echo here; exec "$@"', 'sh', ...command];
  const one = lab.start(place, [...(user === 'root' ? [] : as(user)), ...words], { detached: true });
  await one.waitFor(/here/);
  return one;
}

const end = async (...all: Awaited<ReturnType<typeof stay>>[]): Promise<void> => {
  for (const one of all) {
    one.stdin.end();
    one.kill('SIGKILL');
  }
  await Promise.all(all.map(({ done }) => done));
};

const noSudo = (lab: Lab): Promise<string> =>
  lab.sh(
    'client',
    'umount /etc/sudoers; echo "root ALL=(ALL) ALL" >/run/etc/none; chmod 440 /run/etc/none; mount --bind /run/etc/none /etc/sudoers',
  );

for (const by of ['nft', 'iptables'])
  test.serial(`a user moves what he runs already, and out again: ping, and TCP that lives on, by ${by}`, async (t) => {
    const lab = await labWith(t, undefined, true);
    const { left } = await leaving(lab, async () => {
      const ping = lab.start('client', [...as('ada'), 'ping', '-n', '-i0.05', far.v4], { detached: true });
      const talk = probeCommand('tcp', { address: far.v4, port: 7001, talk: true, timeout: 2 });
      const talker = lab.start('client', [...as('ada'), ...talk], { detached: true });
      await talker.waitFor(/^open$/m);
      await ping.waitFor(/ttl=101/);
      const pids = [String(ping.pid), String(talker.pid)];
      const attached = await viaAs(lab, 'ada', ['attach', `--firewall=${by}`, '10.0.2.1', ...pids]);
      t.deepEqual([attached.code, attached.stdout, attached.stderr], [0, '', '']);
      for (const one of [ping, talker]) t.regex(placeOf(one.pid), inOwn);
      await ping.waitFor(/ttl=102/, { from: ping.stdout.length });
      talker.write('who\n');
      await talker.waitFor(/^g1 /m);
      const detached = await viaAs(lab, 'ada', ['detach', '-v', ...pids]);
      t.is(detached.code, 0);
      t.regex(detached.stderr, new RegExp(`^echo ${ping.pid} > \\S+/cgroup.procs\necho ${talker.pid} > `));
      for (const one of [ping, talker]) t.regex(placeOf(one.pid), inNone);
      await ping.waitFor(/ttl=101/, { from: ping.stdout.length });
      talker.write('who\n');
      await talker.waitFor(/^g1 .*\n(.*\n)*g1 /m);
      ping.kill();
      talker.kill();
      await Promise.all([ping.done, talker.done]);
      await kept(lab);
    });
    t.deepEqual(
      left.filter((line) => by === 'nft' || !/nf_conntrack|modules|iptables/.test(line)),
      [],
    );
  });

test.serial('the second time needs nobody’s leave, unless there are connections to keep', async (t) => {
  const lab = await labWith(t, undefined, true);
  const { left } = await leaving(lab, async () => {
    const launched = lab.start('client', [...as('ada'), viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; exec cat'], {
      detached: true,
    });
    await launched.waitFor(/in/);
    const one = await stay(lab, 'ada');
    const two = await stay(lab, 'bob');
    const talk = probeCommand('tcp', { address: far.v4, port: 7001, talk: true, timeout: 2 });
    const talker = lab.start('client', [...as('ada'), ...talk], { detached: true });
    await talker.waitFor(/^open$/m);
    await lab.sh('client', 'cp /etc/sudoers /run/etc/before');
    await noSudo(lab);
    const first = await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${one.pid}`]);
    t.deepEqual([first.code, first.stdout, first.stderr], [0, '', '']);
    t.is(placeOf(one.pid), placeOf(launched.pid));
    refused(t, await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${talker.pid}`]), /^via: elevation sudo: /);
    refused(t, await viaAs(lab, 'ada', ['attach', '10.0.1.3', `${one.pid}`]), /^via: elevation sudo: /);
    refused(t, await viaAs(lab, 'ada', ['detach', `${one.pid}`]), /^via: elevation sudo: /);
    refused(t, await viaAs(lab, 'bob', ['attach', '10.0.2.1', `${two.pid}`]), /^via: elevation sudo: /);
    refused(
      t,
      await viaAs(lab, 'bob', ['attach', '--elevate=none', '10.0.2.1', `${two.pid}`]),
      /^via: attach: not root \(leave out --elevate=none, or use sudo\)$/m,
    );
    t.is((await viaAs(lab, 'ada', ['attach', '--elevate=none', '10.0.2.1', `${talker.pid}`])).code, 0);
    t.regex(placeOf(talker.pid), inOwn);
    t.regex(placeOf(two.pid), inNone);
    await end(one, two, talker, launched);
    await kept(lab);
  });
  t.deepEqual(
    left.filter((line) => !/sudoers/.test(line)),
    [],
  );
});

test.serial('what is not a user’s alone, or not there, is a line each, and the others are moved', async (t) => {
  const lab = await labWith(t);
  await lab.sh('client', 'cp /bin/sleep /run/other; chmod 4755 /run/other');
  const { left } = await leaving(lab, async () => {
    const good = await stay(lab, 'ada');
    const bobs = await stay(lab, 'bob');
    const roots = await stay(lab, 'root');
    const elsewhere = await stay(lab, 'ada', ['cat'], 'g1');
    const setuid = await stay(lab, 'ada', ['/run/other', '300']);
    await until('it has its rights', () => /^Uid:\t61234\t0/m.test(readFileSync(`/proc/${setuid.pid}/status`, 'utf8')));
    const all = [bobs, roots, elsewhere, setuid];
    const pids = [...all, good].map(({ pid }) => `${pid}`);
    const lines = [
      `${bobs.pid}: of another user (use sudo)`,
      `${roots.pid}: of another user (use sudo)`,
      `${elsewhere.pid}: in another network namespace (nsenter -t ${elsewhere.pid} -n via ..., with a gateway from there)`,
      `${setuid.pid}: also has the rights of another user (use sudo)`,
      '4194303: no such process',
    ].map((line) => `via: process ${line}\n`);
    const script = `exec ${viaBin} attach 10.0.2.1 ${pids.slice(0, 4).join(' ')} 4194303 $$ ${good.pid}`;
    const attached = await lab.run('client', [...as('ada'), 'sh', '-c', script], { detached: true });
    t.is(attached.code, 125);
    t.is(attached.stderr.replace(/via: process \d+: that is via itself\n/, ''), lines.join(''));
    t.regex(placeOf(good.pid), inOwn);
    for (const one of all) t.regex(placeOf(one.pid), inNone);
    const detached = await viaAs(lab, 'ada', ['detach', ...pids.slice(0, 4), `${good.pid}`]);
    t.deepEqual([detached.code, detached.stderr], [125, lines.slice(0, 4).join('')]);
    t.regex(placeOf(good.pid), inNone);
    // Nobody is asked where there is nobody to be moved.
    await noSudo(lab);
    const none = await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${bobs.pid}`]);
    t.deepEqual([none.code, none.stderr], [125, lines[0]]);
    const out = await viaAs(lab, 'ada', ['detach', `${good.pid}`]);
    t.deepEqual([out.code, out.stderr], [125, `via: process ${good.pid}: in no group\n`]);
    await end(good, ...all);
    await kept(lab);
  });
  t.deepEqual(
    left.filter((line) => !/sudoers/.test(line)),
    [],
  );
});

test.serial('from one group of a user’s over into another; the first goes when nobody is in it', async (t) => {
  const lab = await labWith(t);
  const { left } = await leaving(lab, async () => {
    const one = await stay(lab, 'ada');
    t.is((await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${one.pid}`])).code, 0);
    const first = placeOf(one.pid);
    t.is((await viaAs(lab, 'ada', ['attach', '10.0.1.3', `${one.pid}`])).code, 0);
    t.regex(placeOf(one.pid), inOwn);
    t.not(placeOf(one.pid), first);
    const groups = async () => (await lab.sh('client', 'echo /run/via/group-*')).split(' ').length;
    await until('the first is gone', async () => (await groups()) === 1, 10_000);
    await end(one);
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('--tree: all that a user’s process has started, and his shell with it', async (t) => {
  const lab = await labWith(t);
  const { left } = await leaving(lab, async () => {
    const script = `${viaBin} "$@" --tree $$; echo "status $?"; read -r word; ${viaBin} detach --tree $$; echo "status $?"; cat`;
    const shell = lab.start(
      'client',
      [...as('ada'), 'sh', '-c', `sleep 300 & echo "$!"; ${script}; kill %1`, 'sh', 'attach', '10.0.2.1'],
      { detached: true },
    );
    const [, leaf] = await shell.waitFor(/^(\d+)\n/);
    await shell.waitFor(/status 0\n/, { timeout: 20_000 });
    t.is(shell.stderr, '');
    for (const pid of [shell.pid, Number(leaf)]) t.regex(placeOf(pid), inOwn);
    shell.write('\n');
    await shell.waitFor(/status 0\n(.*\n)*status 0\n/, { timeout: 20_000 });
    t.is(shell.stderr, '');
    for (const pid of [shell.pid, Number(leaf)]) t.regex(placeOf(pid), inNone);
    process.kill(Number(leaf), 'SIGKILL');
    await end(shell);
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('a process that ends while the password is asked for', async (t) => {
  const lab = await labWith(t, [`via-ada ALL=(root) ${setupBin}`]);
  const { left } = await leaving(lab, async () => {
    const one = await stay(lab, 'ada');
    const two = await stay(lab, 'ada');
    const script = `${viaBin} attach 10.0.2.1 ${one.pid} ${two.pid}; echo "status $?"`;
    const terminal = pty(lab, [...as('ada'), 'sh', '-c', script]);
    await terminal.see(/password/i);
    await end(one);
    terminal.type('secret\n');
    await terminal.see(new RegExp(`via: process ${one.pid}: has ended\r\nstatus 125`), 20_000);
    t.regex(placeOf(two.pid), inOwn);
    await end(two);
    await terminal.program.done;
    await kept(lab);
  });
  t.deepEqual(left, []);
});

for (const word of ['attach 10.0.2.1', 'detach'])
  test.serial(`a number that is somebody else’s when the password has been typed: ${word}`, async (t) => {
    const lab = await labWith(t, [`via-ada ALL=(root) ${setupBin}`]);
    const before = word === 'detach' ? `${viaBin} attach 10.0.2.1 $first $second; sudo -k; ` : '';
    const { left } = await leaving(lab, async () => {
      // In a PID namespace the next number can be chosen. The new process is root's, and in a group of root's.
      const script = `${as('ada').join(' ')} sleep 300 & first=$!
        ${as('ada').join(' ')} sleep 301 & second=$!
        ${viaBin} 10.0.1.3 -- sh -c 'until [ -e /run/go ]; do sleep 0.02; done
          kill -9 '$first'; while [ -e /proc/'$first' ]; do sleep 0.02; done
          echo '$((first - 1))' >/proc/sys/kernel/ns_last_pid; sleep 302 & echo "again $!"; wait' &
        ${as('ada').join(' ')} sh -c '${before}${viaBin} ${word} '"$first $second"'; echo "status $?"' sh
        echo "first $first"; for pid in $first $second; do sed -n "s/.*net_cls[^:]*:/place /p" /proc/$pid/cgroup; done; kill $first $second`;
      const inner =
        before === ''
          ? script
          : script
              .replace("sh -c '" + before, `sh -c 'first=$1 second=$2; ${before}`)
              .replace("' sh\n", "' sh $first $second\n");
      const terminal = pty(lab, ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', inner]);
      if (before !== '') {
        await terminal.see(/password/i);
        terminal.type('secret\n');
      }
      await terminal.see(/password/i, 20_000);
      await lab.sh('client', 'touch /run/go');
      const [, again] = await terminal.see(/again (\d+)/);
      terminal.type('secret\n');
      const [text] = await terminal.see(/status 125[^]*first (\d+)\r\nplace .*\r\nplace .*\r\n/, 20_000);
      t.regex(text, new RegExp(`first ${again}\r`));
      t.regex(
        terminal.program.stdout,
        new RegExp(`via: process ${again}: (no such process|has ended|of another user \\(use sudo\\))\r\n`),
      );
      const [root, hers] = [...text.matchAll(/place (\S+)/g)].map(([, place = '']) => place);
      t.regex(root ?? '', /\/via-[\da-f-]{36}$/);
      t.regex(hers ?? '', word === 'detach' ? inNone : inOwn);
      await terminal.program.done;
      // A keeper ends with the PID namespace that it was started in.
      await lab.sh('client', 'rm /run/go');
      t.is((await lab.via(['sweep'])).code, 0);
    });
    t.deepEqual(left, []);
  });

test.serial(
  'out of a group of root’s into one of her own, which is the kernel’s to allow; not out of it to the usual way',
  async (t) => {
    const lab = await labWith(t);
    const { left } = await leaving(lab, async () => {
      const one = await stay(lab, 'ada');
      const two = await stay(lab, 'ada');
      t.is((await lab.via(['attach', '10.0.1.3', `${one.pid}`])).code, 0);
      t.is((await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${two.pid}`])).code, 0);
      const out = await viaAs(lab, 'ada', ['detach', `${one.pid}`]);
      t.deepEqual([out.code, out.stderr], [125, `via: process ${one.pid}: in a group of another user (use sudo)\n`]);
      await noSudo(lab);
      t.is((await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${one.pid}`])).code, 0);
      t.is(placeOf(one.pid), placeOf(two.pid));
      await end(one, two);
      await kept(lab);
    });
    t.deepEqual(
      left.filter((line) => !/sudoers/.test(line)),
      [],
    );
  },
);

/** The set-up, asked by a shell of ada's with a document of her own making: which word, and which processes. */
const ask = `start() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }
ask() { printf '{"pid":%s,"start":"%s","word":"%s","gateway":"%s","ipv4":"refuse","ipv6":"refuse","lan":true,"firewall":"auto","verbose":false,"pids":"%s","tree":%s}\\n' $$ "$(start $$)" "$@" | sudo -n ${setupBin}; }
`;

test.serial(
  '--tree of what goes back in, and starts more, is given up; others wait no longer for the lock',
  async (t) => {
    const lab = await labWith(t);
    const { left } = await leaving(lab, async () => {
      const hers = await stay(lab, 'ada');
      t.is((await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${hers.pid}`])).code, 0);
      const own = `/run/via/net_cls${/\/via-[\da-f]{8}-.*$/.exec(placeOf(hers.pid))?.[0]}`;
      const script = `import os, time
own = os.open("${own}/cgroup.procs", os.O_WRONLY)
first = os.getpid()
for _ in range(4):
    if os.fork() == 0:
        while os.getppid() == first:
            if "/via-" not in open("/proc/self/cgroup").read(): os.write(own, b"0")
            if os.fork() == 0: os.execv("/bin/sleep", ["sleep", "1"])
            try:
                while os.waitpid(-1, os.WNOHANG)[0]: pass
            except ChildProcessError: pass
            time.sleep(0.005)
        os._exit(0)
os.write(own, b"0")
print("bred", flush=True)
time.sleep(60)`;
      const storm = await stay(lab, 'ada', [...python, '-c', script]);
      await storm.waitFor(/bred/);
      await until('they breed in there', async () => Number(await lab.sh('client', `wc -l <${own}/cgroup.procs`)) > 40);
      const one = await viaAs(lab, 'ada', ['detach', '--tree', `${storm.pid}`]);
      t.is(one.code, 125);
      t.regex(
        one.stderr,
        /^via: process \d+: took too long: not all were moved \(try again, or end what starts so many\)$/m,
      );
      await end(storm, hers);
      await kept(lab);
    });
    t.deepEqual(left, []);
  },
);

test.serial('what somebody who may ask can try with the processes of others', async (t) => {
  const lab = await labWith(t);
  await lab.sh('client', 'cp /bin/sleep /run/other; chmod 4755 /run/other');
  const { left } = await leaving(lab, async () => {
    const bobs = await stay(lab, 'bob');
    const roots = await stay(lab, 'root');
    const hers = await stay(lab, 'ada');
    const setuid = await stay(lab, 'ada', ['/run/other', '300']);
    const inRoots = await stay(lab, 'ada');
    t.is((await viaAs(lab, 'bob', ['attach', '10.0.2.1', `${bobs.pid}`])).code, 0);
    t.is((await lab.via(['attach', '10.0.2.1', `${roots.pid}`, `${inRoots.pid}`])).code, 0);
    t.is((await viaAs(lab, 'ada', ['attach', '10.0.2.1', `${hers.pid}`])).code, 0);
    // By hand she gets it in: the kernel goes by the real user id.
    const own = `/run/via/net_cls${/\/via-[\da-f]{8}-.*$/.exec(placeOf(hers.pid))?.[0]}`;
    await until('it has its rights', () => /^Uid:\t61234\t0/m.test(readFileSync(`/proc/${setuid.pid}/status`, 'utf8')));
    const elsewhere = await stay(lab, 'ada', ['cat'], 'g1');
    await lab.run('client', [...as('ada'), 'sh', '-c', `echo ${elsewhere.pid} >${own}/cgroup.procs`]);
    await lab.sh('client', `echo ${setuid.pid} >${own}/cgroup.procs`);
    const all = [bobs, roots, hers, setuid, inRoots, elsewhere];
    const before = all.map(({ pid }) => placeOf(pid));
    for (const place of before) t.regex(place, /\/via-/);
    const asks = (script: string) =>
      lab.run('client', [...as('ada'), 'sh', '-c', `${ask}${script}`], { detached: true });
    const line = (pid: number, why: string) => `{"changes":[],"errors":["process ${pid}: ${why}"]}\n`;
    const detach = (pid: number, tree = false) => `ask detach '' "${pid}:$(start ${pid})" ${tree}`;
    const tries: [script: string, answer: string | RegExp][] = [
      [detach(bobs.pid), line(bobs.pid, 'of another user (use sudo)')],
      [detach(bobs.pid, true), line(bobs.pid, 'of another user (use sudo)')],
      [detach(roots.pid), line(roots.pid, 'of another user (use sudo)')],
      [detach(1), line(1, 'of another user (use sudo)')],
      [detach(inRoots.pid), line(inRoots.pid, 'in a group of another user (use sudo)')],
      [detach(setuid.pid), line(setuid.pid, 'also has the rights of another user (use sudo)')],
      [detach(elsewhere.pid), /^\{"changes":\[\],"errors":\["process \d+: in another network namespace \(/],
      [`ask detach '' "${hers.pid}:7" false`, line(hers.pid, 'no such process')],
      [
        `ask detach '' "${hers.pid}:7 4194303:1" true`,
        /\["process \d+: no such process","process 4194303: no such process"\]/,
      ],
      [`ask detach 10.0.2.1 "${hers.pid}:7" false`, /"error":"set-up document: .*gateway/],
      [`ask detach '' '' false`, /"error":"set-up document: .*pids/],
      [`ask detach '' '${hers.pid}' false`, /"error":"set-up document: .*pids/],
      [`ask detach '' '-1:7' false`, /"error":"set-up document: .*pids/],
      [`ask detach '' '${hers.pid}:7;1' false`, /"error":"set-up document: .*pids/],
      [`ask none '' '${hers.pid}:7' false`, /"error":"set-up document: .*pids/],
      [`ask launch 10.0.2.1 '${hers.pid}:7' false`, /"error":"set-up document: .*pids/],
      [`ask launch 10.0.2.1 '' true`, /"error":"set-up document: .*pids/],
      [`ask detach '' "$(seq -s ' ' 1000 1400 | sed 's/ /:1 /g;s/$/:1/')" false`, /"error":"set-up document: .*pids/],
      // Nothing is moved by the set-up where others are to join, whoever they are.
      [`ask attach 10.0.2.1 "${bobs.pid}:$(start ${bobs.pid}) ${roots.pid}:$(start ${roots.pid})" true`, /"path":/],
    ];
    for (const [script, answer] of tries) {
      const { stdout } = await asks(script);
      if (typeof answer === 'string') t.is(stdout, answer);
      else t.regex(stdout, answer, script);
      t.deepEqual(
        all.map(({ pid }) => placeOf(pid)),
        before,
        script,
      );
    }
    // Nor by herself, whatever she may write.
    for (const one of [bobs, roots]) {
      const tried = await lab.run('client', [...as('ada'), 'sh', '-c', `echo ${one.pid} >${own}/cgroup.procs`]);
      t.not(tried.code, 0);
      t.notRegex(placeOf(one.pid), inOwn);
    }
    t.is((await asks(detach(hers.pid))).stdout, '{"changes":[],"errors":[]}\n');
    t.regex(placeOf(hers.pid), inNone);
    await end(...all);
    await kept(lab);
  });
  t.deepEqual(left, []);
});
