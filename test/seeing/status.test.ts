import test from 'ava';
import { programsOf } from '../helpers/calls.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving, until } from '../helpers/left.js';
import { killKeepers, settled } from '../helpers/keepers.js';
import { viaBin } from '../helpers/paths.js';
import { outside, probe } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';

interface Shown {
  gateway: string;
  ipv4: unknown;
  ipv6: unknown;
  lan: boolean;
  firewall: string;
  table: number;
  mark: string;
  state: string;
  why: string;
  missing: string[];
  sent: { packets: number; bytes: number };
  stopped: { packets: number };
  members: { pid: number; user: string; command: string; since: string }[];
}

const json = async (lab: Lab): Promise<{ version: number; complete: boolean; elsewhere: number; groups: Shown[] }> =>
  JSON.parse((await lab.via(['status', '--json'])).stdout);
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

test.serial('status: groups with members, and what was sent and stopped', async (t) => {
  const lab = await makeLab(t);
  const { left } = await leaving(lab, async () => {
    const none = await lab.via(['status']);
    t.deepEqual([none.code, none.stdout, none.stderr], [0, 'no group is in use\n', '']);
    t.deepEqual(await json(lab), { version: 1, complete: true, groups: [], elsewhere: 0 } as never);
    const b = await hold(lab, '10.0.2.1');
    const d = await hold(lab, '--no-lan', '10.0.1.3');
    await lab.via(['10.0.2.1', '--', 'ping', '-n', '-c3', '-i0.1', '203.0.113.10']);
    await lab.via(['10.0.2.1', '--', 'ping', '-n', '-c1', '-W1', '-I', 'c1', '203.0.113.10']);
    const { groups } = await json(lab);
    t.deepEqual(
      groups.map(({ gateway }) => gateway),
      ['10.0.1.3', '10.0.2.1'],
    );
    const [other, one] = groups;
    t.deepEqual(
      [one!.ipv4, one!.ipv6, one!.lan, other!.lan],
      [{ device: 'c2', nextHop: '10.0.2.1' }, 'refuse', true, false],
    );
    t.deepEqual([one!.state, one!.why, one!.missing], ['ok', '', []]);
    t.deepEqual(one!.sent, { packets: 3, bytes: 3 * 84 });
    t.true(one!.stopped.packets >= 1);
    t.deepEqual(other!.sent, { packets: 0, bytes: 0 });
    // The one who waits for its end, and the command.
    const pids = one!.members.map(({ pid }) => pid);
    t.true(pids.includes(b.pid));
    const member = one!.members.find(({ pid }) => pid === b.pid)!;
    t.deepEqual([member.user, member.command], ['root', 'cat']);
    t.true(Math.abs(Date.now() - Date.parse(member.since)) < 30_000);
    t.regex(
      await lab.sh('client', 'ip rule'),
      new RegExp(`fwmark ${one!.mark.replace(/^0x0*/, '0x')} iif lo lookup ${one!.table}\\b`),
    );
    const { stdout, stderr } = await lab.via(['status']);
    t.is(stderr, '');
    t.regex(stdout, /^GATEWAY +DEVICE +STATE +SENT +BYTES +STOPPED +TABLE +MARK$/m);
    t.regex(
      stdout,
      new RegExp(`^10\\.0\\.2\\.1 +c2 +ok +3 +252 +\\d+ +${one!.table} +${one!.mark.split('/')[0]}$`, 'm'),
    );
    t.regex(stdout, new RegExp(`^ +${b.pid} +root +\\S+ +cat$`, 'm'));
    for (const line of stdout.split('\n')) t.true(line.length <= 80, line);
    t.notRegex(stdout, /\x1b/);
    await b.release();
    await d.release();
  });
  t.deepEqual(left, []);
});

test.serial('status: what is missing, and a gateway that is not there', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const held = await hold(lab, '10.0.2.1');
  const other = await hold(lab, '10.0.1.3');
  await killKeepers(lab);
  await lab.sh('client', 'ip rule del pref $(ip rule | sed -n "s/:.*fwmark 0x[0-9a-f]*\\/.*//p" | tail -1)');
  const states = (await json(lab)).groups;
  const drifted = states.filter(({ missing }) => missing.some((name) => name.startsWith('ip -4 rule pref ')));
  t.is(drifted.length, 1);
  t.is(drifted[0]!.state, 'drifted');
  t.regex((await lab.via(['status'])).stdout, / drifted .*\n +missing: /);
  await lab.sh('client', 'ip link set c2 down');
  const lost = (await json(lab)).groups.find(({ gateway }) => gateway === '10.0.2.1')!;
  t.deepEqual([lost.state, lost.why], ['lost', 'c2 is down']);
  t.regex((await lab.via(['status'])).stdout, /^10\.0\.2\.1 +c2 +gateway down .*\n +c2 is down$/m);
  // As a keeper writes it down that somebody insists; it would take many a second until one does (test/healing/insist).
  await lab.sh(
    'client',
    'for f in /run/via/group-*; do echo "closed its rules are taken away" >/run/via/state-${f#*group-}; done',
  );
  t.regex((await lab.via(['status'])).stdout, /^10\.0\.2\.1 +c2 +closed .*\n +its rules are taken away$/m);
  await held.release();
  await other.release();
});

test.serial('status without root: members, devices and routes; it says so', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const held = await hold(lab, '10.0.2.1');
  const { stdout, stderr, code } = await lab.run('client', [...nobody, viaBin, 'status']);
  t.deepEqual([code, stderr], [0, '']);
  t.regex(stdout, new RegExp(`^ +${held.pid} +root +\\S+ +cat$`, 'm'));
  t.regex(stdout, /^table 7\d+: 10\.0\.2\.1 dev c2$/m);
  t.regex(stdout, /^not root: only members, devices, routes and gateways of users are seen$/m);
  const seen = JSON.parse((await lab.run('client', [...nobody, viaBin, 'status', '--json'])).stdout);
  t.deepEqual([seen.complete, seen.groups.length, seen.routes[0].device], [false, 1, 'c2']);
  await held.release();
});

test.serial('status runs as many commands for six groups as for one', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const held = [await hold(lab, '10.0.2.1')];
  // Where something seems to be missing it looks once more.
  await settled(lab);
  const one = (await programsOf(lab, ['status'])).sort();
  t.deepEqual(one, ['ip', 'ip', 'nft', 'node', 'sh', 'via']);
  for (const words of [['10.0.1.3'], ['--no-lan', '10.0.2.1'], ['--ipv6=allow', '10.0.2.1'], ['fd02::1'], ['10.0.1.1']])
    held.push(await hold(lab, ...words));
  await until('all are there', async () => (await json(lab)).groups.length === 6);
  await settled(lab);
  t.deepEqual((await programsOf(lab, ['status'])).sort(), one);
  for (const each of held) await each.release();
});

test.serial('-v ends with what was sent and stopped', async (t) => {
  const lab = await makeLab(t);
  const { result, left } = await leaving(lab, () =>
    lab.via(['-v', '10.0.2.1', '--', 'ping', '-nqc2', '-i0.1', '203.0.113.10']),
  );
  t.regex(result.stderr, /\n# 10\.0\.2\.1: sent 2 packets, 168 bytes; stopped 0 packets\n$/);
  t.deepEqual(left, []);
  const seen = await probe(outside(lab), 'tcp', 4);
  t.is(seen.gateway, 'g1');
});

test.serial('status counts by iptables too', async (t) => {
  const lab = await makeLab(t);
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, '--firewall=iptables', '10.0.2.1,fd02::1');
    const ping = (address: string) => lab.via(['10.0.2.1,fd02::1', '--', 'ping', '-nqc2', '-i0.1', address]);
    await ping('203.0.113.10');
    await lab.via(['10.0.2.1,fd02::1', '--', 'ping', '-n', '-c1', '-W0.2', '-I', 'c1', '203.0.113.10']);
    // What comes makes the chains anew that are everybody's: the counts of a group stay.
    const other = await hold(lab, '--firewall=iptables', '10.0.1.3');
    const [, one] = (await json(lab)).groups;
    t.deepEqual([one!.why, one!.sent, one!.stopped.packets], ['', { packets: 2, bytes: 168 }, 1]);
    await other.release();
    await held.release();
  });
  t.deepEqual(
    left.filter((line) => !line.includes('iptables')),
    [],
  );
});

test.serial('on a terminal: its width, and colour unless NO_COLOR', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const held = await hold(lab, '10.0.2.1');
  const onTerminal = (columns: number, ...words: string[]) =>
    lab.run('client', ['script', '-qec', `stty cols ${columns}; ${words.join(' ')} '${viaBin}' status`, '/dev/null'], {
      env: { TERM: 'xterm' },
    });
  const wide = (await onTerminal(100)).stdout;
  t.regex(wide, /10\.0\.2\.1 +c2 +\x1b\[32mok\x1b\[0m +0 /);
  const narrow = (await onTerminal(60, 'env', 'NO_COLOR=1')).stdout;
  t.notRegex(narrow, /\x1b/);
  for (const text of narrow.split(/\r?\n/)) t.true(text.length <= 60, text);
  await held.release();
});

test.serial('counts go on where the table is made anew, and from 0 where somebody took it away', async (t) => {
  const lab = await makeLab(t);
  const held = await hold(lab, '10.0.2.1');
  await settled(lab);
  const ping = (count: number) => lab.via(['10.0.2.1', '--', 'ping', '-nq', `-c${count}`, '-i0.1', '203.0.113.10']);
  const counts = async (): Promise<number[]> => {
    const [one] = (await json(lab)).groups;
    return [one!.sent.packets, one!.sent.bytes, one!.stopped.packets];
  };
  await ping(3);
  await lab.via(['10.0.2.1', '--', 'ping', '-n', '-c1', '-W0.2', '-I', 'c1', '203.0.113.10']);
  t.deepEqual(await counts(), [3, 252, 1]);
  const ours = (): Promise<boolean> =>
    lab.sh('client', 'nft list chain inet via guard').then(
      () => true,
      () => false,
    );
  await lab.sh('client', 'nft "flush chain inet via guard; delete chain inet via guard"');
  await until('it is there again', ours);
  await settled(lab);
  t.deepEqual(await counts(), [3, 252, 1]);
  await ping(2);
  t.deepEqual(await counts(), [5, 420, 1]);
  await lab.sh('client', 'nft delete table inet via');
  await until('it is there again', ours);
  await settled(lab);
  t.deepEqual(await counts(), [0, 0, 0]);
  await held.release();
});

test.serial('groups of one gateway are told apart by their options, within 80 columns', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const other = ['--firewall=iptables', '10.0.2.1'];
  const all = [['10.0.2.1'], ['--ipv6=allow', '10.0.2.1'], ['--no-lan', '10.0.2.1'], other];
  const long = ['--no-lan', '--ipv6', 'allow', '10.0.2.1'];
  const held = [];
  for (const words of all) held.push(await hold(lab, ...words));
  const text = async (): Promise<string> => {
    const { stdout } = await lab.via(['status']);
    for (const line of stdout.split('\n')) t.true(line.length <= 80, line);
    return stdout;
  };
  const rows = /^(10\S+(?: --\S+)*)  .*(?:\n +(--.*))?/gm;
  const names = async (): Promise<string[]> =>
    [...(await text()).matchAll(rows)].map(([, name, below]) => (below === undefined ? name! : `${name} ${below}`));
  // A machine may have iptables only.
  const two = (await json(lab)).groups.some(({ firewall }) => firewall === 'nft');
  const marked = two ? ['10.0.2.1 --firewall=iptables', '10.0.2.1 --firewall=nft'] : ['10.0.2.1'];
  t.deepEqual((await names()).sort(), [...marked, '10.0.2.1 --ipv6=allow', '10.0.2.1 --no-lan']);
  t.regex(await text(), /^10\.0\.2\.1 --no-lan  +c2 /m);
  held.push(await hold(lab, ...long));
  t.true((await names()).includes('10.0.2.1 --ipv6=allow --no-lan'));
  // They have no room behind it.
  t.regex(await text(), /^10\.0\.2\.1  +c2 .*\n {2}--ipv6=allow --no-lan$/m);
  for (const each of held) await each.release();
});

test.serial('via itself is shown as it was typed', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const held = await hold(lab, '10.0.2.1');
  const { members } = (await json(lab)).groups[0]!;
  t.regex(members.find(({ pid }) => pid !== held.pid)!.command, /^via (\S+ )?10\.0\.2\.1 -- /);
  t.regex((await lab.via(['status'])).stdout, /^ +\d+ +root +\S+ +via 10\.0\.2\.1 -- /m);
  await held.release();
});
