import test from 'ava';
import { classic, via } from '../helpers/classic.js';
import { makeLab } from '../helpers/lab.js';
import { outside, probe, probeCommand, type Kind } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

const kinds: Kind[] = ['tcp', 'udp', 'ping'];
const families = [4, 6] as const;
const both = '10.0.2.1,fd02::1';

test.serial('what leaves has the source address of its own uplink', async (t) => {
  const lab = await makeLab(t);
  for (const family of families) {
    const own = client.c2[`v${family}`];
    const filter = `src host ${own} and dst host ${far[`v${family}`]}`;
    const capture = await sniff(lab, 'g2', 'eth0', family === 4 ? filter : `ip6 and ${filter}`);
    for (const kind of kinds) {
      const seen = await probe(by(lab, both), kind, family);
      t.is(seen.gateway, 'g2', `${kind} v${family}: ${seen.error}`);
      if (kind !== 'ping') t.is(seen.source, own);
    }
    t.is((await probe(by(lab, both), 'udp', family, { unconnected: true })).source, own);
    const packets = (await capture.stop()).join('\n');
    for (const pattern of [/Flags \[S\]/, /\.7000: +(UDP|\[\|rx\])/, /echo request/]) t.regex(packets, pattern);
  }
});

test.serial('the classic recipe sends with the address of main, and v6 by main', async (t) => {
  const lab = await makeLab(t);
  for (const kind of kinds) {
    const options = { timeout: 0.3 };
    t.is((await probe((argv) => via(lab, 'g2', argv), kind, 4, options)).gateway, 'g2');
    t.is((await probe((argv) => via(lab, 'g2', argv), kind, 6, options)).gateway, null);
  }
  for (const kind of kinds) {
    const options = kind === 'ping' ? {} : { timeout: 0.3 };
    t.is((await probe((argv) => classic(lab, 'g2', argv), kind, 4, options)).gateway, null, kind);
    t.is((await probe((argv) => classic(lab, 'g2', argv), kind, 6, options)).gateway, 'g1', kind);
  }
});

test.serial('an address that the program chose stays, where it is one of the uplink', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'ip address add 10.0.2.77/24 dev c2; ip address add fd02::77/64 dev c2');
  const chosen = [
    { family: 4, local: '10.0.2.77', source: '10.0.2.77' },
    { family: 6, local: 'fd02::77', source: 'fd02::77' },
    { family: 4, local: '10.0.1.2', source: '10.0.2.2' }, // Of another uplink: nobody would answer to it.
  ] as const;
  for (const { family, local, source } of chosen)
    for (const kind of ['tcp', 'udp'] as const) {
      const seen = await probe(by(lab, both), kind, family, { local, localPort: 4242 });
      t.like(seen, { gateway: 'g2', source, port: 4242, local }, `${kind} ${local}`);
    }
});

test.serial('source ports and connections of other programs stay as they are', async (t) => {
  const lab = await makeLab(t);
  const talk = async (address: string, name: string, word: string, old?: ReturnType<typeof lab.start>) => {
    const port = address === far.v4 ? 4301 : 4302;
    const command = probeCommand('tcp', { address, port: 7001, talk: true, localPort: port });
    const talker = old ?? lab.start('client', command);
    talker.write(`${word}\n`);
    await talker.waitFor(new RegExp(`^${name} \\S+ ${port} ${word}$`, 'm'));
    return talker;
  };
  const main = await talk(far.v4, 'g1', 'one');
  const neighbour = await talk('10.0.2.1', 'g2', 'one');
  const held = await hold(lab, both);
  await talk(far.v4, 'g1', 'two', main);
  await talk('10.0.2.1', 'g2', 'two', neighbour);
  for (const family of families)
    for (const localPort of [4242, 4243]) {
      const ask = (runner = outside(lab)) => probe(runner, 'udp', family, { localPort });
      const v = `v${family}` as const;
      // The same port of the same host, at the same time, by both ways, in either order.
      const first = localPort === 4242 ? await ask() : await ask(by(lab, both));
      const second = localPort === 4242 ? await ask(by(lab, both)) : await ask();
      const [mine, theirs] = localPort === 4242 ? [second, first] : [first, second];
      t.like(theirs, { gateway: 'g1', source: client.c1[v], port: localPort }, `v${family}`);
      t.like(mine, { gateway: 'g2', source: client.c2[v], port: localPort }, `v${family}`);
      t.like(await ask(), { gateway: 'g1', source: client.c1[v], port: localPort });
    }
  t.like(await probe(outside(lab), 'udp', 4, { address: '10.0.2.1', localPort: 4242 }), { port: 4242 });
  await held.release();
  await talk(far.v4, 'g1', 'three', main);
  await talk('10.0.2.1', 'g2', 'three', neighbour);
  t.like(await probe(outside(lab), 'udp', 4, { localPort: 4242 }), { gateway: 'g1', port: 4242 });
  for (const talker of [main, neighbour]) {
    talker.stdin.end();
    t.is((await talker.done).code, 0);
  }
});

test.serial('a router of another subnet on the device of main', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'ip address add 10.0.3.2/24 dev c1');
  await lab.sh('g3', 'ip address add 10.0.3.1/24 dev eth0');
  const ask = by(lab, '10.0.3.1');
  const capture = await sniff(lab, 'g3', 'eth0', `dst ${far.v4}`);
  for (const kind of kinds) {
    const seen = await probe(ask, kind, 4);
    t.is(seen.gateway, 'g3', kind);
    if (kind !== 'ping') t.is(seen.source, '10.0.3.2', kind);
  }
  t.like(await probe(ask, 'udp', 4, { local: '10.0.3.2', localPort: 4242 }), { source: '10.0.3.2', port: 4242 });
  t.like(await probe(ask, 'udp', 4, { local: '10.0.1.2', localPort: 4243 }), { source: '10.0.3.2', port: 4243 });
  for (const packet of await capture.stop()) t.regex(packet, / IP 10\.0\.3\.2[ .]/);
  // Neighbours are asked as main asks them.
  for (const [address, source] of [
    ['10.0.1.3', '10.0.1.2'],
    ['10.0.3.1', '10.0.3.2'],
    ['10.0.2.1', '10.0.2.2'],
  ] as const)
    t.is((await probe(ask, 'tcp', 4, { address })).source, source);
  t.is((await probe(outside(lab), 'tcp', 4)).source, '10.0.1.2');
  // Two networks on the device of B, where the program may choose.
  await lab.sh('client', 'ip address add 10.0.5.2/24 dev c2');
  await lab.sh('g2', 'ip address add 10.0.5.1/24 dev eth0');
  for (const [gateway, own, other] of [
    ['10.0.5.1', '10.0.5.2', '10.0.2.2'],
    ['10.0.2.1', '10.0.2.2', '10.0.5.2'],
  ] as const) {
    t.like(await probe(by(lab, gateway), 'tcp', 4), { gateway: 'g2', source: own });
    t.like(await probe(by(lab, gateway), 'tcp', 4, { local: other }), { gateway: 'g2', source: other });
  }
});
