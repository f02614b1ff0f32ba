import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { python } from '../helpers/paths.js';
import { outside, probe, probeAll, type Runner } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { far } from '../helpers/topology.js';
import { asWithoutUs, load, loaders, loseOurs } from './others.js';
import { tailscale } from './tailscale.js';

const both = '10.0.2.1,fd02::1';

/** Who answers, whatever is asked. */
const answerers = async (runner: Runner): Promise<string[]> => [...new Set(Object.values(await probeAll(runner)))];

/** Asks as the daemon does, with its mark on the socket (SO_MARK, socket(7)): by main, around its own tunnel. */
async function askMarked(lab: Lab): Promise<string[]> {
  const script = `import socket
for family, address in (socket.AF_INET, "${far.v4}"), (socket.AF_INET6, "${far.v6}"):
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, 36, 0x80000); s.settimeout(1)
    s.connect((address, 7000)); print(s.recv(99).split()[0].decode())`;
  return (await lab.run('client', [...python, '-c', script])).stdout.trim().split('\n');
}

for (const loader of loaders) {
  test.serial(`Tailscale's rules by ${loader}, there before`, async (t) => {
    const lab = await makeLab(t, { tun: true, rpFilter: loader === 'nft' ? {} : { c2: 1 } });
    await lab.sh('client', load(tailscale, loader));
    t.deepEqual(await answerers(outside(lab)), ['g4']);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, both);
      t.deepEqual(await answerers(by(lab, both)), ['g2']);
      t.deepEqual(await answerers(outside(lab)), ['g4']);
      t.deepEqual(await askMarked(lab), ['g1', 'g1']);
      await held.release();
    });
    t.deepEqual(left, []);
  });

  test.serial(`Tailscale's rules by ${loader}, loaded while a group is in use`, async (t) => {
    const lab = await makeLab(t, { tun: true });
    const held = await hold(lab, both);
    await lab.sh('client', load(tailscale, loader));
    t.deepEqual(await answerers(by(lab, both)), ['g2']);
    // A launch that has to mend, and one of another group.
    await lab.sh('client', loseOurs);
    t.deepEqual(await answerers(by(lab, both)), ['g2']);
    t.is((await probe(by(lab, '10.0.1.3'), 'tcp', 4)).gateway, 'g3');
    t.deepEqual(await answerers(outside(lab)), ['g4']);
    t.deepEqual(await askMarked(lab), ['g1', 'g1']);
    await held.release();
    t.deepEqual(await asWithoutUs(lab, tailscale, loader), []);
  });
}
