import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { run, start, type Result, type Running } from '../helpers/exec.js';
import { until } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';

// The kernel runs an agent in the machine's first namespaces: only in its mount namespace can it be seen at work, with its
// own /run.
const RUNTIME = '/run/via';
const agent = `${RUNTIME}/net_cls/release_agent`;

/** Whether we are there; only a machine that hides its first process does not tell. */
function isMachine(): boolean {
  try {
    return readlinkSync('/proc/self/ns/mnt') === readlinkSync('/proc/1/ns/mnt');
  } catch {
    return true;
  }
}

/** How often the keeper has run in two seconds; the least of some, for it is woken for groups of other tests, too. */
async function wakings(): Promise<number> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const keeper = pids.find((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`/bin/keeper\0`) &&
        readlinkSync(`/proc/${pid}/fd/0`).startsWith(RUNTIME) &&
        readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt')
      );
    } catch {
      return false;
    }
  });
  const count = (): number =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${keeper}/status`, 'utf8'))?.[1]);
  const counts: number[] = [];
  while (counts.length < 6 && !counts.includes(0)) {
    const before = count();
    await sleep(2000);
    counts.push(count() - before);
  }
  return Math.min(...counts);
}

const network = `ip link set lo up; ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
  ip addr add 10.9.0.2/24 dev v0; exec "$@"`;
const launch = (...words: string[]): Running =>
  start([
    'unshare',
    '--net',
    'sh',
    '-ec',
    network,
    'sh',
    viaBin,
    ...words,
    '10.9.0.1%v0',
    '--',
    'sh',
    '-c',
    'echo in; read _',
  ]);

/** A hierarchy that nobody uses any more is there for a moment longer, and cannot be mounted then. */
const mount = `until mount -t cgroup -o net_cls none /mnt || mount -t cgroup -o net_cls,net_prio none /mnt; do sleep 0.02; done`;

/** What the root of the hierarchy says, seen by a mount that is gone with the look. */
async function rootsAgent(text?: string): Promise<string> {
  const write = text === undefined ? '' : `echo '${text}' >/mnt/release_agent`;
  const look = `${mount}\n${write}\necho agent; cat /mnt/release_agent`;
  const { stdout } = await run(['unshare', '--mount', 'sh', '-c', look]);
  return stdout.replace(/^agent\n/, '').trim();
}

test.serial('the kernel tells the keeper of the end of a group, and is asked no more than that', async (t) => {
  if (!isMachine() || existsSync(RUNTIME)) return void t.pass('not in the mount namespace of the machine');
  for (const words of [['-x'], []]) {
    const running = launch(...words);
    t.teardown(() => void running.kill('SIGKILL'));
    await running.waitFor(/in/);
    t.is(readFileSync(agent, 'utf8').trim(), viaBin.replace(/via$/, 'agent'));
    await sleep(1500);
    t.is(await wakings(), 0);
    running.stdin.end();
    t.is((await running.done).stderr, '');
    // It looks by itself every 15 seconds only.
    await until('nothing is left', () => !existsSync(RUNTIME), 5000);
    t.is(await rootsAgent(), '');
  }
});

test.serial("somebody else's agent stays, and the keeper hears of the end all the same", async (t) => {
  if (!isMachine() || existsSync(RUNTIME)) return void t.pass('not in the mount namespace of the machine');
  const keep = start(['unshare', '--mount', 'sh', '-c', `${mount}\necho ready; read _`]);
  await keep.waitFor(/ready/);
  t.teardown(async () => {
    await rootsAgent('');
    keep.stdin.end();
    await keep.done;
  });
  t.is(await rootsAgent('/bin/true'), '/bin/true');
  const running = launch('-x');
  t.teardown(() => void running.kill('SIGKILL'));
  await running.waitFor(/in/);
  t.is(readFileSync(agent, 'utf8').trim(), '/bin/true');
  await sleep(1500);
  t.is(await wakings(), 0);
  running.stdin.end();
  await running.done;
  await until('nothing is left', () => !existsSync(RUNTIME), 5000);
  t.is(await rootsAgent(), '/bin/true');
});

test.serial(
  'where the kernel runs it with another /run, the keeper looks by itself, and leaves no group behind',
  async (t) => {
    // With the hierarchy's root in sight, and out of that of the agent.
    const script = `
    mount -t tmpfs -o mode=755 none /run
    ${network.replace('exec "$@"', '')}
    here=$(readlink /proc/self/ns/net)
    # What is of this keeper's making: a group without a class, or named by the namespace as its FIFO is.
    groups() {
      for g in /mnt/via-????????-????-* "/mnt/keeper-$(echo "$here" | tr -dc 0-9)"; do
        [ ! -d "$g" ] || [ "$(cat "$g/net_cls.classid")" != "$(cat /mnt/net_cls.classid)" ] || echo "$g"
      done 2>/dev/null
    }
    keepers() {
      for p in /proc/[0-9]*; do
        [ "$(readlink $p/ns/net)" != "$here" ] || tr '\\0' ' ' <$p/cmdline | grep -E '^(flock .*)?bash [^ ]*/bin/keeper '
      done 2>/dev/null
    }
    for i in 1 2 3; do "$0" "$@"; done
    echo launched
    # Not before, or via would use that mount.
    { ${mount}; } 2>/dev/null
    i=0
    while [ $i -lt 100 ] && [ "$(ls -A /run | grep via; groups; keepers)" ]; do i=$((i + 1)); sleep 0.05; done
    ls -A /run | grep via; groups; keepers`;
    for (const command of ['true', 'sleep 1.5'])
      for (const words of [[], ['-x']]) {
        const argv = [viaBin, ...words, '10.9.0.1%v0', '--', ...command.split(' ')];
        const { stdout, stderr } = await run(['unshare', '--mount', '--net', 'sh', '-c', script, ...argv]);
        t.is(stderr, '');
        t.is(stdout, 'launched\n', `${command} ${words.join(' ')}`);
      }
  },
);

/** With FIFOs of its own under a /run that is gone with it. */
const runAgent = (script: string): Promise<Result> => {
  const before = 'mount -t tmpfs none /run; mkdir /run/via; cd /run/via; fifo=keeper-1; mkfifo $fifo';
  return run(['unshare', '--mount', 'sh', '-c', `${before}\n${script}`, viaBin.replace(/via$/, 'agent')]);
};

test('the agent wakes who reads, waits for nobody, and keeps nobody from being taken for dead', async (t) => {
  const read = await runAgent('exec 3<>$fifo; "$0" /group; read -r word <&3; echo "$word"');
  t.deepEqual([read.stdout, read.stderr], ['look\n', '']);
  const full = await runAgent(
    'exec 3<>$fifo; dd if=/dev/zero bs=4096 of=$fifo oflag=nonblock 2>/dev/null; timeout 5 "$0" /group; [ $? != 124 ] && echo ended',
  );
  t.deepEqual([full.stdout, full.stderr], ['ended\n', '']);
});

test('the agent makes no file where a FIFO is just being removed', async (t) => {
  const { stdout } = await runAgent(`
    (while [ ! -e stop ]; do rm -f $fifo; mkfifo $fifo; done) 2>/dev/null &
    for i in $(seq 1000); do "$0" /group; [ ! -f $fifo ] || { echo made; break; }; done
    touch stop; wait`);
  t.is(stdout, '');
});
