import test from 'ava';
import { classic } from '../helpers/classic.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { allKinds, outside, probe, probeAll } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { client } from '../helpers/topology.js';

const both = '10.0.2.1,fd02::1';
const everywhere = (gateway: string) =>
  Object.fromEntries(allKinds.map(([kind, family]) => [`${kind} v${family}`, gateway]));

/** Somebody else's table, which looks last at what it has set: what of it is not as it was, is counted. */
const foreign = (chains: string, check: string) => `
  table inet foreign {
    counter wrong { }
    counter right { }
    ${chains}
    chain last {
      type filter hook postrouting priority 400;
      oifname "lo" accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept
      ${check} counter name right accept
      counter name wrong
    }
  }`;

const setMark = (hook: string, priority: number, type = 'filter', what = 'meta mark set meta mark | 0x10') =>
  `chain c${-priority}_${hook} { type ${type} hook ${hook} priority ${priority}; ${what}; };`;

const markers = [
  { name: 'before us', chains: setMark('output', -300) },
  { name: 'before us, routing', chains: setMark('output', -151, 'route') },
  { name: 'after us, routing', chains: setMark('output', -100, 'route') },
  { name: 'after us', chains: setMark('output', 0) },
  { name: 'twice', chains: `${setMark('output', -300)} ${setMark('output', -100, 'route')}` },
  {
    name: 'both ways, as a router does',
    chains: `${setMark('output', -300)} ${setMark('prerouting', -300)} ${setMark('prerouting', -100)}`,
  },
];

const counted = async (lab: Lab, name: string) =>
  Number(/packets (\d+)/.exec(await lab.sh('client', `nft list counter inet foreign ${name}`))?.[1]);

test.serial('bits that others put into the mark stay, and ours still count', async (t) => {
  const lab = await makeLab(t);
  const held = await hold(lab, both);
  for (const { name, chains } of markers) {
    await lab.sh('client', `nft -f - <<'EOF'\n${foreign(chains, 'meta mark & 0xffffff == 0x10')}\nEOF`);
    t.deepEqual(await probeAll(by(lab, both)), everywhere('g2'), name);
    t.deepEqual(await probeAll(outside(lab)), everywhere('g1'), name);
    t.is(await counted(lab, 'wrong'), 0, name);
    t.true((await counted(lab, 'right')) > 0, name);
    await lab.sh('client', 'nft delete table inet foreign');
  }
  await held.release();
});

test.serial('the classic recipe goes by main as soon as somebody adds a bit', async (t) => {
  const lab = await makeLab(t);
  // By g3, where the source address is right as it is.
  const ask = () => probe((argv) => classic(lab, 'g3', argv), 'tcp', 4);
  t.is((await ask()).gateway, 'g3');
  await lab.sh('client', `nft -f - <<'EOF'\n${foreign(setMark('output', -100, 'route'), '')}\nEOF`);
  t.is((await ask()).gateway, 'g1');
  t.is((await probe(by(lab, '10.0.1.3'), 'tcp', 4)).gateway, 'g3');
});

/** Where others write into the connection mark, low bits only, as those do who share it. */
const trackers = [
  { name: 'before us', chains: setMark('output', -155, 'filter', 'ct mark set ct mark | 0x1234') },
  { name: 'after us', chains: setMark('output', -140, 'filter', 'ct mark set ct mark | 0x1234') },
  { name: 'at the end', chains: setMark('postrouting', 200, 'filter', 'ct mark set ct mark | 0x1234') },
];

test.serial('bits that others put into the connection mark stay', async (t) => {
  const lab = await makeLab(t);
  const held = await hold(lab, both);
  for (const { name, chains } of trackers) {
    await lab.sh('client', `nft -f - <<'EOF'\n${foreign(chains, 'ct mark & 0xffffff == 0x1234')}\nEOF`);
    t.deepEqual(await probeAll(by(lab, both)), everywhere('g2'), name);
    t.deepEqual(await probeAll(outside(lab)), everywhere('g1'), name);
    t.is(await counted(lab, 'wrong'), 0, name);
    t.true((await counted(lab, 'right')) > 0, name);
    await lab.sh('client', 'nft delete table inet foreign');
  }
  await held.release();
});

test.serial('a mark that the program gives its own socket stays beside ours', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', `nft -f - <<'EOF'\n${foreign('', 'meta mark & 0xffffff == 0x77')}\nEOF`);
  const script = `import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, 36, 0x77); s.settimeout(2)
s.connect(("203.0.113.10", 7000)); print(s.recv(99).decode(), end="")`;
  const { stdout } = await lab.via(['10.0.2.1', '--', '/usr/bin/python3', '-I', '-c', script]);
  t.regex(stdout, new RegExp(`^g2 ${client.c2.v4.replaceAll('.', '\\.')} `));
  t.true((await counted(lab, 'right')) > 0);
  t.is(await counted(lab, 'wrong'), 0);
});
