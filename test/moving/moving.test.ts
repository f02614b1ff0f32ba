import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { settled } from '../helpers/keepers.js';
import { kept, leaving, until } from '../helpers/left.js';
import { python, viaBin } from '../helpers/paths.js';
import { probeCommand } from '../helpers/probes.js';
import { without } from '../helpers/tools.js';
import { far } from '../helpers/topology.js';

const attach = (lab: Lab, by: string, gateway: string, ...pids: (number | string)[]) =>
  lab.via(['attach', `--firewall=${by}`, gateway, ...pids.map(String)]);
const groupOf = (pid: number, task = pid) =>
  /via-[\da-f]{8}-\S+/.exec(readFileSync(`/proc/${pid}/task/${task}/cgroup`, 'utf8'))?.[0];

test.serial('where the kernel cannot be told of connections, a line says what may come of it', async (t) => {
  const lab = await makeLab(t);
  const talker = lab.start('client', probeCommand('tcp', { address: far.v4, port: 7001, talk: true, timeout: 2 }));
  await talker.waitFor(/^open$/m);
  const words = ['attach', '10.0.2.1', String(talker.pid)];
  const lost = 'those that are open and idle may end';
  const first = await lab.run('client', [...without('perl'), viaBin, ...words]);
  t.deepEqual([first.code, first.stderr], [0, `via: connections: perl not found: ${lost} (install perl)\n`]);
  t.truthy(groupOf(talker.pid));
  await lab.via(['detach', String(talker.pid)]);
  await kept(lab, 1);
  // The table of connections has one size for the whole machine: it is not filled for this.
  const full = `echo '#!/bin/sh\necho Cannot allocate memory' >/run/perl; chmod 755 /run/perl; mount --bind /run/perl "$(readlink -f "$(command -v perl)")"; exec "$@"`;
  const second = await lab.run('client', ['unshare', '--mount', 'sh', '-c', full, 'sh', viaBin, ...words]);
  t.deepEqual([second.code, second.stderr], [0, `via: connections: Cannot allocate memory: ${lost}\n`]);
  talker.kill();
  await talker.done;
  await kept(lab);
});

test.serial('all threads move, children follow, and the keeper takes away what is left', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const script = `import subprocess, sys, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
sys.stdin.readline()
child.kill()`;
    const one = lab.start('client', [...python, '-c', script]);
    await one.waitFor(/ready/);
    t.is((await attach(lab, 'auto', '10.0.2.1', one.pid)).code, 0);
    const tasks = readdirSync(`/proc/${one.pid}/task`).map(Number);
    t.is(tasks.length, 2);
    const group = groupOf(one.pid);
    t.truthy(group);
    for (const task of tasks) t.is(groupOf(one.pid, task), group);
    one.write('\n');
    const [, child] = await one.waitFor(/^(\d+)$/m);
    t.is(groupOf(Number(child)), group);
    one.write('\n');
    await one.done;
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('--tree moves what was started before; without it that stays', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const tree = lab.start('client', ['sh', '-c', 'sh -c "echo \\$\\$; sleep 60 & echo \\$!; cat; kill \\$!"; exit']);
    const [, middle, leaf] = await tree.waitFor(/^(\d+)\n(\d+)\n/);
    const pids = [tree.pid, Number(middle), Number(leaf)];
    t.is((await attach(lab, 'auto', '10.0.2.1', tree.pid)).code, 0);
    t.deepEqual(
      pids.map((pid) => groupOf(pid) !== undefined),
      [true, false, false],
    );
    t.is((await attach(lab, 'auto', '10.0.2.1', '--tree', tree.pid)).code, 0);
    t.deepEqual(
      pids.map((pid) => groupOf(pid) !== undefined),
      [true, true, true],
    );
    t.is((await lab.via(['detach', '--tree', String(tree.pid)])).code, 0);
    t.deepEqual(
      pids.map((pid) => groupOf(pid)),
      [undefined, undefined, undefined],
    );
    const none = await lab.via(['detach', '--tree', String(tree.pid)]);
    t.deepEqual([none.code, none.stderr], [125, `via: process ${tree.pid}: in no group\n`]);
    // The last one is out.
    await until('no table is left', async () => (await lab.sh('client', 'nft list tables')) === '');
    tree.stdin.end();
    await tree.done;
  });
  t.deepEqual(left, []);
});

test.serial('--tree looks again until nothing new is found, and says what of it cannot be moved', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    // What is forked while it looks is forked by one that is not moved yet, or by one that is.
    const script = `import os, sys, time
def breed(depth):
    while True:
        for _ in range(3):
            if os.fork() == 0:
                if depth > 0: breed(depth - 1)
                time.sleep(0.3)
                os._exit(0)
        time.sleep(0.02)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]: pass
        except ChildProcessError: pass
print("ready", flush=True)
if os.fork() == 0: breed(0)
if os.fork() == 0: os.execvp("unshare", ["unshare", "--net", "sleep", "60"])
sys.stdin.readline()`;
    const one = lab.start('client', [...python, '-c', script]);
    await one.waitFor(/ready/);
    const family = () => lab.processes().filter(({ pid }) => pid !== one.pid);
    const elsewhere = () => family().find(({ argv }) => argv[0] === 'sleep')?.pid;
    await until('they are many', () => family().length > 20 && elsewhere() !== undefined);
    const { code, stderr } = await attach(lab, 'auto', '10.0.2.1', '--tree', one.pid);
    t.is(code, 125);
    t.regex(stderr, new RegExp(`^via: process ${elsewhere()}: in another network namespace [^\\n]*\\n$`));
    for (let n = 0; n < 5; n++) {
      const outside = family().filter(({ pid, argv }) => argv.includes(script) && isOutside(pid));
      await new Promise((resolve) => setTimeout(resolve, 100));
      // One that is at its end is in none.
      t.deepEqual(
        outside.filter(({ pid }) => isOutside(pid)),
        [],
      );
    }
    for (let all = lab.processes(); all.length > 0; all = lab.processes())
      for (const { pid } of all) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
    await one.done;
    await kept(lab);
  });
  t.deepEqual(left, []);
});

/** Whether it runs, and is in no group: one that has ended and was not waited for yet is in none. */
function isOutside(pid: number): boolean {
  try {
    return groupOf(pid) === undefined && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test.serial('a process of which the first thread has ended is moved as any, with its connections', async (t) => {
  const lab = await makeLab(t);
  const { left } = await leaving(lab, async () => {
    const script = `import ctypes, socket, sys, threading, time
asker = socket.create_connection(("${far.v4}", 7001))
asker.settimeout(3)
def talk():
    for line in sys.stdin:
        try:
            asker.send(b"who\\n")
            print(asker.recv(200).decode().split()[0], flush=True)
        except OSError as problem: print(repr(problem), flush=True)
thread = threading.Thread(target=talk)
thread.start()
print(thread.native_id, flush=True)
ctypes.CDLL(None).pthread_exit(None)`;
    const one = lab.start('client', [...python, '-c', script]);
    const [, thread] = await one.waitFor(/^(\d+)\n/m);
    const state = () => readFileSync(`/proc/${one.pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
    await until('its first thread has ended', () => state() === 'Z');
    const moved = await attach(lab, 'auto', '10.0.2.1', one.pid);
    t.deepEqual([moved.code, moved.stderr], [0, '']);
    t.truthy(groupOf(one.pid, Number(thread)));
    one.write('who\n');
    await one.waitFor(/^g1$/m);
    const out = await lab.via(['detach', String(one.pid)]);
    t.deepEqual([out.code, out.stderr], [0, '']);
    t.is(groupOf(one.pid, Number(thread)), undefined);
    one.stdin.end();
    await one.done;
    await kept(lab);
    const gone = await attach(lab, 'auto', '10.0.2.1', one.pid);
    t.regex(gone.stderr, /: no such process\n$/);
  });
  t.deepEqual(left, []);
});

test.serial('a keeper is no member, which would wait for itself: neither named nor with --tree', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    // An init of its own, as a service manager of a user's is: what loses its parent is its child.
    const script = `import ctypes, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1)
via = subprocess.Popen(sys.argv[1:])
sys.stdin.readline()
via.kill()`;
    const init = lab.start('client', [...python, '-c', script, viaBin, '10.0.2.1', '--', 'sleep', '300']);
    await until('there is a keeper', () => lab.keepers().length === 1);
    await settled(lab);
    const [keeper] = lab.keepers();
    const named = await attach(lab, 'auto', '10.0.1.1', keeper!.pid);
    t.is(named.code, 125);
    t.regex(named.stderr, /^via: process \d+: a keeper of via\n$/);
    const tree = await attach(lab, 'auto', '10.0.1.1', '--tree', init.pid);
    t.deepEqual([tree.code, tree.stderr], [0, '']);
    const members = lab.processes().filter(({ pid }) => groupOf(pid) !== undefined);
    const names = members.map(({ argv }) => argv[0]!.split('/').at(-1));
    t.deepEqual([...new Set(names)].sort(), ['node', 'python3', 'sleep']);
    for (const { pid } of members) process.kill(pid, 'SIGKILL');
    await init.done;
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('what cannot be moved is a line each, and the others are moved', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const good = lab.start('client', ['cat']);
    const elsewhere = lab.start('g1', ['cat']);
    const gone = lab.start('client', ['true']);
    await gone.done;
    await until('both are there', async () =>
      (await lab.sh('client', `readlink /proc/${elsewhere.pid}/ns/net; cat /proc/${good.pid}/comm`)).endsWith('cat\n'),
    );
    const kernel = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isKernels(Number(name)));
    const script = `exec "${viaBin}" attach 10.0.2.1 $$ ${gone.pid} ${elsewhere.pid} ${kernel ?? ''} ${good.pid}`;
    const { code, stdout, stderr } = await lab.run('client', ['sh', '-c', script]);
    t.deepEqual([code, stdout], [125, '']);
    const expected = [
      /^process \d+: that is via itself$/,
      new RegExp(`^process ${gone.pid}: no such process$`),
      new RegExp(
        `^process ${elsewhere.pid}: in another network namespace \\(nsenter -t ${elsewhere.pid} -n via \\.\\.\\., with a gateway from there\\)$`,
      ),
      ...(kernel === undefined ? [] : [new RegExp(`^process ${kernel}: a kernel thread, `)]),
    ];
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => line.replace(/^via: /, ''));
    t.is(lines.length, expected.length, stderr);
    for (const [i, line] of lines.entries()) t.regex(line, expected[i]!);
    t.truthy(groupOf(good.pid));
    t.is((await lab.via(['detach', String(good.pid)])).code, 0);
    const again = await lab.via(['detach', String(good.pid)]);
    t.deepEqual([again.code, again.stderr], [125, `via: process ${good.pid}: in no group\n`]);
    // Nobody is moved, and nothing is made.
    const none = await lab.via(['attach', '10.0.2.1', String(gone.pid)]);
    t.deepEqual([none.code, none.stderr], [125, `via: process ${gone.pid}: no such process\n`]);
    const wrong = await lab.via(['attach', '10.9.9.9', String(good.pid)]);
    t.is(wrong.code, 125);
    t.is(groupOf(good.pid), undefined);
    const user = await lab.run('client', [
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      viaBin,
      'attach',
      '10.0.2.1',
      String(good.pid),
    ]);
    t.deepEqual([user.code, user.stderr], [125, `via: process ${good.pid}: of another user (use sudo)\n`]);
    for (const one of [good, elsewhere]) {
      one.stdin.end();
      await one.done;
    }
  });
  t.deepEqual(left, []);
});

function isKernels(pid: number): boolean {
  try {
    return (
      (Number(
        readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')[6],
      ) &
        0x200000) !==
      0
    );
  } catch {
    return false;
  }
}
