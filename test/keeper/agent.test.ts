import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { run, start, type Running } from '../helpers/exec.js';
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

test.serial("somebody else's agent stays, and the keeper looks by itself", async (t) => {
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
  t.true((await wakings()) > 1);
  running.stdin.end();
  await running.done;
  await until('nothing is left', () => !existsSync(RUNTIME), 5000);
  t.is(await rootsAgent(), '/bin/true');
});
