import { readFileSync } from 'node:fs';
import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import type { Running } from '../helpers/exec.js';
import { seesAll } from '../helpers/firewall.js';
import { fixture, python } from '../helpers/paths.js';
import { probeCommand } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { client, far } from '../helpers/topology.js';

const attach = (lab: Lab, gateway: string, ...pids: number[]) => lab.via(['attach', gateway, ...pids.map(String)]);
const detach = (lab: Lab, ...pids: number[]) => lab.via(['detach', ...pids.map(String)]);
const isInGroup = (pid: number): boolean => /\/via-[\da-f]{8}-/.test(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
/** g2 in both families. */
const g2 = '10.0.2.1,fd02::1';
/** What iptables leaves is other tests' matter. */
const ofOurs = (left: string[]): string[] => (seesAll() ? left : left.filter((line) => !/iptables|modules/.test(line)));

/** A program that has one socket, by which it asks who is there as often as it is told to. */
async function talker(lab: Lab, kind: 'tcp' | 'udp', address: string, by: string[] = []) {
  const port = kind === 'tcp' ? 7001 : 7000;
  const one = lab.start('client', [...by, ...probeCommand(kind, { address, port, talk: true, timeout: 2 })]);
  if (by.length === 0) await one.waitFor(/^open$/m);
  return one;
}

/** Who answers, and the address that he has seen, or the error. */
async function ask(one: Running): Promise<string> {
  const from = one.stdout.length;
  one.write('who\n');
  const [line] = await one.waitFor(/^.+$/m, { from });
  return line.split(' ').slice(0, 2).join(' ');
}

async function end(...all: Running[]): Promise<void> {
  for (const one of all) one.kill('SIGKILL');
  await Promise.all(all.map(({ done }) => done));
}

test.serial('a ping that runs changes its gateway, both ways, and over', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const address of [far.v4, far.v6]) {
    const isV4 = address === far.v4;
    const ping = lab.start('client', ['ping', '-n', '-i0.05', '-c200', address]);
    await ping.waitFor(/seq=5 /);
    const steps = [
      () => attach(lab, isV4 ? '10.0.2.1' : 'fd02::1', ping.pid),
      () => attach(lab, isV4 ? '10.0.1.3' : 'fd01::3', ping.pid),
      () => detach(lab, ping.pid),
    ];
    for (const step of steps) {
      const { code, stdout, stderr } = await step();
      t.deepEqual([code, stdout, stderr], [0, '', '']);
      const from = ping.stdout.length;
      await ping.waitFor(/seq=(?:.*\n.*){5}/, { from });
    }
    ping.kill('SIGINT');
    const { stdout } = await ping.done;
    const hops = [...stdout.matchAll(/ttl=(\d+)/g)].map(([, hop]) => Number(hop) - 100);
    t.deepEqual(
      hops.filter((hop, i) => hop !== hops[i - 1]),
      [1, 2, 3, 1],
      address,
    );
    const [, sent, received] = /^(\d+) packets transmitted, (\d+) received/m.exec(stdout) ?? [];
    t.true(Number(sent) - Number(received) <= 2, stdout.slice(-200));
  }
  await kept(lab);
});

test.serial('UDP changes at once, both ways, with the right source', async (t) => {
  const lab = await makeLab(t);
  const { left } = await leaving(lab, async () => {
    for (const [address, family] of [
      [far.v4, 'v4'],
      [far.v6, 'v6'],
    ] as const) {
      // One that was there before a group, and one that has spoken before.
      const [one, two] = [await talker(lab, 'udp', address), await talker(lab, 'udp', address)];
      t.is(await ask(one), `g1 ${client.c1[family]}`);
      for (let turn = 0; turn < 2; turn++) {
        const moved = await attach(lab, g2, one.pid, two.pid);
        t.deepEqual([moved.code, moved.stderr], [0, '']);
        for (const each of [one, two, one]) t.is(await ask(each), `g2 ${client.c2[family]}`);
        t.is((await detach(lab, one.pid, two.pid)).code, 0);
        for (const each of [one, two, one]) t.is(await ask(each), `g1 ${client.c1[family]}`);
      }
      await end(one, two);
    }
    await kept(lab);
  });
  t.deepEqual(ofOurs(left), []);
});

test.serial('while a program sends all day: by no socket by the other way, but for TCP that was open', async (t) => {
  const lab = await makeLab(t);
  const { left } = await leaving(lab, async () => {
    const group = await hold(lab, g2);
    const sender = lab.start('client', [...python, fixture('sender.py')]);
    await sender.waitFor(/^\d+ .*udp4=g1/m);
    /** What it hears once all that was sent before has been answered. */
    const hears = async (who: string): Promise<string> => {
      const settled = new RegExp(`^\\d+ (?!.*\\b(udp|newudp|newtcp|ping)[46]=(?!${who})).*udp4=${who}`, 'm');
      const from = sender.stdout.length;
      const found = await sender.waitFor(settled, { from });
      const at = from + (found.index ?? 0) + found[0].length;
      await sender.waitFor(/^(\d+ .*\n){30}/m, { from: at + 3 * 200 });
      return sender.stdout.slice(at + 3 * 200);
    };
    const moved = await attach(lab, g2, sender.pid);
    t.deepEqual([moved.code, moved.stderr], [0, '']);
    const inside = await hears('g2');
    for (const family of [4, 6]) {
      t.notRegex(inside, new RegExp(`(udp|ping|newtcp)${family}=g1`));
      for (const kind of ['udp', 'newudp', 'newtcp', 'ping']) t.regex(inside, new RegExp(`\\b${kind}${family}=g2`));
      t.regex(inside, new RegExp(`\\btcp${family}=g1`));
    }
    t.is((await detach(lab, sender.pid)).code, 0);
    const outside = await hears('g1');
    for (const family of [4, 6]) t.notRegex(outside, new RegExp(`(udp|ping|newtcp)${family}=g2`));
    await end(sender);
    await group.release();
    await kept(lab);
  });
  t.deepEqual(ofOurs(left), []);
});

test.serial('TCP connections that are open live on by their old way, also without conntrack(8)', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'mount --bind /dev/null "$(command -v conntrack)"');
  for (const address of [far.v4, far.v6]) {
    // Nothing tracks connections here until the group is made; one is idle, one is not.
    const idle = await talker(lab, 'tcp', address);
    const busy = await talker(lab, 'tcp', address);
    t.regex(await ask(busy), /^g1 /);
    const moved = await attach(lab, g2, idle.pid, busy.pid);
    t.deepEqual([moved.code, moved.stderr], [0, '']);
    t.true(isInGroup(idle.pid));
    for (const one of [busy, idle, idle]) t.regex(await ask(one), /^g1 /, address);
    await end(idle, busy);
    await kept(lab);
  }
});

test.serial('so do those of a socket that is bound to a device, whatever its name', async (t) => {
  const lab = await makeLab(t);
  await lab.sh(
    'client',
    'ip link set c1 down; ip link set c1 name br-c1@x; ip link set br-c1@x up; ip route add default via 10.0.1.1 dev br-c1@x',
  );
  const device = 'br-c1@x';
  const one = lab.start('client', probeCommand('tcp', { address: far.v4, port: 7001, device, talk: true, timeout: 2 }));
  await one.waitFor(/^open$/m);
  const moved = await attach(lab, '10.0.2.1', one.pid);
  t.deepEqual([moved.code, moved.stderr], [0, '']);
  for (let n = 0; n < 2; n++) t.regex(await ask(one), /^g1 /);
  await end(one);
  await kept(lab);
});

test.serial('TCP connections that were made inside live on after a detach as long as the group does', async (t) => {
  const lab = await makeLab(t);
  for (const [address, family] of [
    [far.v4, 'v4'],
    [far.v6, 'v6'],
  ] as const) {
    const group = await hold(lab, g2);
    const one = await talker(lab, 'tcp', address, ['sh', '-c', 'echo here; read -r word; exec "$@"', 'sh']);
    await one.waitFor(/here/);
    t.is((await attach(lab, g2, one.pid)).code, 0);
    one.write('go\n');
    await one.waitFor(/^open$/m);
    t.is(await ask(one), `g2 ${client.c2[family]}`);
    t.is((await detach(lab, one.pid)).code, 0);
    t.false(isInGroup(one.pid));
    for (let n = 0; n < 3; n++) t.is(await ask(one), `g2 ${client.c2[family]}`);
    const other = await talker(lab, 'tcp', address);
    t.regex(await ask(other), /^g1 /);
    // With the group goes what leads them its way: whoever gets them then does not know them.
    await group.release();
    await until('the group is gone', async () => (await lab.sh('client', 'ip rule')).split('\n').length === 4);
    t.is(await ask(one), 'ECONNRESET');
    await end(one, other);
    await kept(lab);
  }
});

test.serial('a TCP connection that nobody has answered yet goes on by the new way, both ways', async (t) => {
  const lab = await makeLab(t);
  const drop = (place: 'g1' | 'g2') =>
    lab.sh(
      place,
      'nft "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }; add rule inet deaf in tcp dport 7001 drop"',
    );
  const attempts = async (count: number) =>
    until(
      'they try',
      async () => (await lab.sh('client', 'ss -tnH state syn-sent')).trim().split('\n').length === count,
    );
  const start = (address: string, ...by: string[]) =>
    lab.start('client', [...by, ...probeCommand('tcp', { address, port: 7001, talk: true, timeout: 20 })]);
  const { left } = await leaving(lab, async () => {
    // Another member: connections are tracked all the time.
    const group = await hold(lab, g2);
    await drop('g1');
    const both = [start(far.v4), start(far.v6)];
    await attempts(2);
    const moved = await attach(lab, g2, ...both.map(({ pid }) => pid));
    t.deepEqual([moved.code, moved.stderr], [0, '']);
    for (const one of both) {
      await one.waitFor(/^open$/m, { timeout: 15_000 });
      t.regex(await ask(one), /^g2 (10\.0\.2\.2|fd02::2)$/);
    }
    await end(...both);
    await lab.sh('g1', 'nft delete table inet deaf');
    await drop('g2');
    const wait = ['sh', '-c', 'echo here; read -r word; exec "$@"', 'sh'];
    const others = [start(far.v4, ...wait), start(far.v6, ...wait)];
    for (const one of others) await one.waitFor(/here/);
    t.is((await attach(lab, g2, ...others.map(({ pid }) => pid))).code, 0);
    for (const one of others) one.write('go\n');
    await attempts(2);
    t.is((await detach(lab, ...others.map(({ pid }) => pid))).code, 0);
    for (const one of others) {
      await one.waitFor(/^open$/m, { timeout: 15_000 });
      t.regex(await ask(one), /^g1 (10\.0\.1\.2|fd01::2)$/);
    }
    await end(...others);
    await group.release();
    await kept(lab);
  });
  t.deepEqual(ofOurs(left), []);
});
