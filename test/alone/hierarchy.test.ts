import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { classicCommand } from '../helpers/classic.js';
import { run, start } from '../helpers/exec.js';
import { until } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';

/** The line of net_cls in a process's list of cgroups, and its row among the controllers (proc(5), cgroups). */
const hierarchy = (): string[] => [
  ...readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .filter((line) => /\bnet_cls\b/.test(line)),
  /^net_cls\t.*$/m.exec(readFileSync('/proc/cgroups', 'utf8'))?.[0] ?? '',
];

/** The number of the hierarchy, without the number of cgroups in it, which counts down a moment later. */
const numbers = (): string =>
  hierarchy()
    .join('\n')
    .replace(/^(net_cls\t\d+)\t\d+/m, '$1');

/**
 * A client with a gateway, in mount and network namespaces of their own, without the mount of net_cls that other labs have.
 * Gives what to put before a command.
 */
async function makePlace(t: ExecutionContext): Promise<string[]> {
  const name = `via-alone-${randomUUID().slice(0, 8)}`;
  const script = `
    awk '$5 ~ /^\\/run(\\/|$)/ || ($0 ~ / - cgroup / && $NF ~ /net_cls/) { print $5 }' /proc/self/mountinfo | tac |
      while read -r where; do umount -l "$where"; done
    mount -t tmpfs -o mode=755 ${name} /run
    mkdir /run/mount
    ip link set lo up
    for n in 1 2; do
      ip link add c$n type veth peer name p$n; ip link set p$n up; ip address add 10.0.$n.2/24 dev c$n; ip link set c$n up
    done
    ip route add default via 10.0.1.1
    echo "at $$"
    exec cat`;
  const words = ['unshare', '--mount', '--propagation', 'private', '--net', 'sh', '-ec', script];
  const holder = start(words, { detached: true });
  t.teardown(async () => {
    holder.stdin.end();
    await holder.done;
  });
  const [, pid] = await holder.waitFor(/^at (\d+)$/m);
  return ['nsenter', `--mount=/proc/${pid}/ns/mnt`, `--net=/proc/${pid}/ns/net`, '--wdns=/', '--'];
}

/** Removes a hierarchy that nobody uses, which an earlier run has left: its last unmount removes it. */
const clear = () => {
  const mount = 'mount -n -t cgroup -o';
  return run([
    'unshare',
    '--mount',
    'sh',
    '-c',
    `${mount} net_cls via-test /mnt || ${mount} net_cls,net_prio via-test /mnt`,
  ]);
};

const isFree = (text: string): boolean => text.startsWith('net_cls\t0\t');

test.beforeEach(async () => {
  await clear();
  await new Promise((resolve) => setTimeout(resolve, 200));
});

const launches: Record<string, string[]> = {
  'a short command': ['10.0.2.1', '--', 'true'],
  'with -x': ['-x', '10.0.2.1', '--', 'true'],
  'a command of a second': ['10.0.2.1', '--', 'sleep', '1'],
};

for (const [name, words] of Object.entries(launches))
  test.serial(`the net_cls hierarchy is as it was, a second after the last user: ${name}`, async (t) => {
    const enter = await makePlace(t);
    const before = numbers();
    t.log(`net_cls before: ${before}${isFree(before) ? '' : ' (in use by others, so it has to stay)'}`);
    for (let n = 0; n < 5; n++) {
      const { code, stderr } = await run([...enter, viaBin, ...words]);
      t.deepEqual([code, stderr], [0, '']);
      // With -x the keeper finds the end after a moment.
      await until('the hierarchy is as before', () => numbers() === before, words[0] === '-x' ? 3000 : 1000);
    }
  });

test.serial('the classic recipe leaves the hierarchy', async (t) => {
  const enter = await makePlace(t);
  const before = numbers();
  if (!isFree(before)) return void t.pass('net_cls is in use by others');
  const { code } = await run([...enter, ...classicCommand('g2', ['true'])]);
  t.is(code, 0);
  await run([...enter, 'sh', '-c', 'rmdir /run/classic/net_cls/g2; umount /run/classic/net_cls']);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const left = numbers();
  t.not(left, before);
  await clear();
  await until('it is gone', () => numbers() === before);
});
