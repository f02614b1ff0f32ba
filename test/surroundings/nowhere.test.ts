import test from 'ava';
import { inGroup } from '../closed/senders.js';
import { seesAll, withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, type Kind, type Runner } from '../helpers/probes.js';
import { refuses } from '../helpers/refused.js';
import { hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

const pair = '10.0.2.1,fd02::1';
const both = ['-4', '-6'];
const drop = (lab: Lab) => lab.sh('client', both.map((family) => `ip ${family} route del default`).join('; '));
const restore = (lab: Lab) =>
  lab.sh('client', 'ip route add default via 10.0.1.1 dev c1; ip -6 route add default via fd01::1 dev c1');

const kinds = ([4, 6] as const).flatMap((family) =>
  (['tcp', 'udp', 'ping'] as const).map((kind) => [kind, family] as const),
);

/** Who answered and what source he saw, or the error, for each kind: `tcp4 g2 10.0.2.2`. */
async function ask(runner: Runner, which: readonly (readonly [Kind, 4 | 6])[] = kinds): Promise<string[]> {
  const all = [];
  for (const [kind, family] of which) {
    const { gateway, source, error } = await probe(runner, kind, family, { timeout: 5 });
    all.push([`${kind}${family}`, gateway ?? error, source].filter(Boolean).join(' '));
  }
  return all;
}

const connects = kinds.filter(([kind]) => kind !== 'ping');
const nowhere = connects.map(([kind, family]) => `${kind}${family} ENETUNREACH`);
const { v4, v6 } = client.c2;
const byB = [`tcp4 g2 ${v4}`, `udp4 g2 ${v4}`, 'ping4 g2', `tcp6 g2 ${v6}`, `udp6 g2 ${v6}`, 'ping6 g2'];

test.serial('main has no default route: the group has its way, and nobody else gets one', async (t) => {
  const lab = await makeLab(t);
  await drop(lab);
  t.deepEqual(await ask(outside(lab), connects), nowhere);
  const captures = await Promise.all(
    ['c1', 'c2'].map((device) => sniff(lab, 'client', device, `port 7000 and (host ${far.v4} or host ${far.v6})`)),
  );
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, pair);
    const seen = await ask(outside(lab), connects);
    // Without a way to know the next hop of what it rejects, iptables leaves it to a neighbour that is not there.
    if (seesAll())
      t.deepEqual(seen, ['tcp4 ECONNREFUSED', 'udp4 ENETUNREACH', 'tcp6 ECONNREFUSED', 'udp6 ENETUNREACH']);
    else
      t.true(
        seen.every((line) => /EHOSTUNREACH|ETIMEDOUT/.test(line)),
        seen.join(),
      );
    for (const capture of captures) t.deepEqual(await capture.stop(), []);
    t.deepEqual(await ask((argv) => lab.via([pair, '--', ...argv])), byB);
    await held.release();
  });
  t.deepEqual(left, []);
  t.deepEqual(await ask(outside(lab), connects), nowhere);
});

test.serial('main has a default route that only says to look elsewhere', async (t) => {
  const lab = await makeLab(t);
  await drop(lab);
  await lab.sh('client', 'ip route add throw default; ip -6 route add throw default');
  t.deepEqual(await ask(outside(lab), connects), nowhere);
  const { left } = await leaving(lab, async () => {
    t.deepEqual(await ask((argv) => lab.via([pair, '--', ...argv])), byB);
  });
  t.deepEqual(left, []);
});

test.serial('the table for that is in use by somebody else: via says so, where it needs it', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'ip route add default via 10.0.1.3 table 7128; ip rule add from 10.0.9.9 lookup 7128');
  await drop(lab);
  const line =
    /^via: routes table 7128: not made by via, for IPv4 \(via needs it where the main table leads nowhere\)$/m;
  await refuses(t, lab, [pair, '--', 'true'], line);
  await restore(lab);
  const { result, left } = await leaving(lab, () => ask((argv) => lab.via([pair, '--', ...argv])));
  t.deepEqual([result, left], [byB, []]);
});

test.serial('only as long as main has none', async (t) => {
  const lab = await makeLab(t);
  const by = (argv: string[]) => lab.via([pair, '--', ...argv]);
  const rules = () => lab.sh('client', 'ip rule; ip -6 rule');
  const held = await hold(lab, pair);
  t.notRegex(await rules(), /lookup 7128|unreachable/);
  await drop(lab);
  t.deepEqual(await ask(by), byB);
  t.is((await rules()).match(/iif lo lookup 7128/g)?.length, 2);
  await restore(lab);
  // Main comes first.
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
  t.is((await probe(outside(lab), 'udp', 6)).gateway, 'g1');
  t.deepEqual(await ask(by), byB);
  t.notRegex(await rules(), /lookup 7128|unreachable/);
  await held.release();
});

test.serial('one family only; and by a device that looks for no neighbours', async (t) => {
  const lab = await makeLab(t, { tun: true });
  await lab.sh('client', 'ip -6 route del default');
  for (const [gateway, name, source] of [
    [pair, 'g2', v6],
    ['tun0', 'g4', client.tun0.v6],
  ] as const) {
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, gateway);
      t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
      const capture = await sniff(lab, 'client', 'tun0', `host ${far.v6}`);
      const { error } = await probe(outside(lab), 'udp', 6, { timeout: 5 });
      t.regex(error ?? '', seesAll() ? /^ENETUNREACH$/ : /^(EHOSTUNREACH|ETIMEDOUT)$/);
      t.deepEqual(await capture.stop(), []);
      const seen = await probe((argv) => lab.via([gateway, '--', ...argv]), 'tcp', 6);
      t.like(seen, { gateway: name, source });
      await held.release();
    });
    t.deepEqual(left, [], gateway);
  }
});

test.serial('a tunnel, and nothing else but a device without IPv6', async (t) => {
  const lab = await makeLab(t, { tun: true });
  await lab.sh('client', 'ip link del c2; echo 1 >/proc/sys/net/ipv6/conf/c1/disable_ipv6; ip route del default');
  const { left } = await leaving(lab, async () => {
    const held = await hold(lab, 'tun0');
    const seen = await ask(
      (argv) => lab.via(['tun0', '--', ...argv]),
      [
        ['tcp', 4],
        ['udp', 6],
      ],
    );
    t.is(seen[0], `tcp4 g4 ${client.tun0.v4}`);
    t.is(seen[1], seesAll() ? `udp6 g4 ${client.tun0.v6}` : 'udp6 ENETUNREACH');
    const capture = await sniff(lab, 'client', 'tun0', `host ${far.v6} or host ${far.v4}`);
    t.regex((await ask(outside(lab), [['udp', 6]]))[0] ?? '', /^udp6 ENETUNREACH$/);
    t.deepEqual(await capture.stop(), []);
    await held.release();
  });
  t.deepEqual(left, []);
});

if (withClassic())
  test.serial('the classic recipe: no connect, no way', async (t) => {
    const lab = await makeLab(t);
    await drop(lab);
    const classic = (argv: string[]) => lab.run('client', inGroup('classic', 'g2', argv));
    t.deepEqual(await ask(classic, [['tcp', 4]]), ['tcp4 ENETUNREACH']);
  });
