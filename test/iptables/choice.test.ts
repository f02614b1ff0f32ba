import test from 'ava';
import { markBy } from '../helpers/firewall.js';
import { builtins } from '../helpers/iptables.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { probe, probeCommand, readProbe } from '../helpers/probes.js';
import { refuses } from '../helpers/refused.js';
import { by, hold } from '../helpers/runners.js';
import { far } from '../helpers/topology.js';
import { without } from '../helpers/tools.js';

const ask = probeCommand('tcp', { address: far.v4 });

/** What a launch with these words, in these surroundings, is marked by. */
async function usedBy(lab: Lab, words: string[], surroundings: string[] = []): Promise<string | undefined> {
  const show = 'cat /run/via/group-*; exec "$@"';
  const argv = [...surroundings, viaBin, ...words, '10.0.2.1', '--', 'sh', '-c', show, 'show', ...ask];
  const result = await lab.run('client', argv);
  const firewall = /"firewall":"([^"]+)"/.exec(result.stdout)?.[1];
  const { gateway } = readProbe(result);
  return gateway === 'g2' && result.stderr === '' ? firewall : `${result.stderr}${gateway}`;
}

/** A machine whose nft fails in these words, as on a kernel without nf_tables. */
const failing = (words: string): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-ec',
  `printf '#!/bin/sh\\necho "${words}" >&2; exit 1\\n' >/run/nft; chmod +x /run/nft
  mount --bind /run/nft "$(readlink -f "$(command -v nft)")"; rm /run/nft; exec "$@"`,
  'failing',
];

test.serial('auto takes nftables where it works, else iptables', async (t) => {
  markBy('nft');
  const lab = await makeLab(t);
  const auto = ['--firewall', 'auto'];
  const { left } = await leaving(lab, async () => {
    t.is(await usedBy(lab, []), 'nft');
    t.is(await usedBy(lab, auto), 'nft');
  });
  t.deepEqual(left, []);
  t.is(await usedBy(lab, auto, without('nft')), 'iptables-nft');
  for (const words of [
    'netlink: Error: cache initialization failed: Operation not supported',
    'Protocol not supported',
  ])
    t.is(await usedBy(lab, auto, failing(words)), 'iptables-legacy', words);
  const broken = failing('cache initialization failed: Operation not supported');
  t.is(await usedBy(lab, [], broken), 'iptables-legacy');
  await refuses(t, lab, ['--firewall', 'nft', '10.0.2.1', '--', 'true'], /nft: .*not supported/, { by: broken });
  await refuses(t, lab, ['--firewall', 'nft', '10.0.2.1', '--', 'true'], /nft: not found \(install nftables\)/, {
    by: without('nft'),
  });
  // Somebody else's trouble is no reason to go another way.
  await refuses(t, lab, ['10.0.2.1', '--', 'true'], /nft: out of cheese/, { by: failing('out of cheese') });
});

test.serial('half of iptables is not installed', async (t) => {
  markBy('nft');
  const lab = await makeLab(t, { servers: false });
  await lab.sh('client', builtins);
  const words = ['--firewall', 'iptables', '10.0.2.1', '--', 'true'];
  for (const tool of ['iptables-nft-save', 'ip6tables-nft-save', 'ip6tables-nft-restore'])
    await refuses(t, lab, words, new RegExp(`firewall ${tool}: not found \\(install iptables\\)$`, 'm'), {
      by: without(tool),
      what: tool,
    });
});

test.serial('of two variants of iptables, the one that holds rules', async (t) => {
  markBy('nft');
  const lab = await makeLab(t);
  const words = ['--firewall', 'iptables'];
  t.is(await usedBy(lab, words), 'iptables-nft');
  await lab.sh('client', 'iptables-nft -A INPUT -i nowhere -j ACCEPT');
  t.is(await usedBy(lab, words), 'iptables-nft');
  // Listing is enough for legacy's tables to be there.
  await lab.sh('client', 'iptables-legacy -S');
  t.is(await usedBy(lab, words), 'iptables-nft');
  await lab.sh('client', 'iptables-nft -F INPUT; iptables-legacy -A INPUT -i nowhere -j ACCEPT');
  t.is(await usedBy(lab, words), 'iptables-legacy');
  t.is(await usedBy(lab, words, without('iptables-legacy-restore')), 'iptables-nft');
});

test.serial('a group that is there is joined, whatever marks it, unless another firewall is asked for', async (t) => {
  for (const firewall of ['iptables-nft', 'iptables-legacy'] as const) {
    markBy(firewall);
    const lab = await makeLab(t);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '10.0.2.1');
      const joined = await lab.run('client', [viaBin, '-v', '10.0.2.1', '--', ...ask]);
      t.is(readProbe(joined).gateway, 'g2');
      t.notRegex(joined.stderr, /mkdir/);
      // By nft, on another slot, at the same time; and each goes on alone.
      const other = lab.start('client', [viaBin, '--firewall', 'nft', '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
      await other.waitFor(/in/);
      const third = lab.start('client', [viaBin, '--firewall', 'nft', '10.0.1.3', '--', 'sh', '-c', 'echo in; read _']);
      await third.waitFor(/in/);
      for (const [words, gateway] of [
        [['--firewall', 'nft', '10.0.2.1'], 'g2'],
        [['--firewall', 'iptables', '10.0.2.1'], 'g2'],
        [['--firewall', 'nft', '10.0.1.3'], 'g3'],
      ] as const)
        for (const kind of ['tcp', 'udp', 'ping'] as const) {
          const run = (argv: string[]) => lab.run('client', [viaBin, ...words, '--', ...argv]);
          t.is((await probe(run, kind, 4)).gateway, gateway, `${words.join(' ')} ${kind}`);
        }
      other.stdin.end();
      t.is((await other.done).stderr, '');
      t.is((await probe(by(lab, '10.0.2.1'), 'udp', 4)).gateway, 'g2');
      await held.release();
      const run = (argv: string[]) => lab.run('client', [viaBin, '10.0.1.3', '--', ...argv]);
      t.is((await probe(run, 'udp', 4)).gateway, 'g3');
      third.stdin.end();
      await third.done;
    });
    t.deepEqual(left, [], firewall);
    await lab.end();
  }
});
