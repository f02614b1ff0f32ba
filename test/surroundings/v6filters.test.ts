import test from 'ava';
import { seesAll } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probeAll } from '../helpers/probes.js';
import { by } from '../helpers/runners.js';
import { iptables, isNoTable, nft, type Foreign } from './foreign.js';

const both = '10.0.2.1,fd02::1';

/** As firewalld has it, for IPv6: what comes in by another device than an answer would leave by is dropped. */
const filter = (hook: string, by = 'saddr . mark . iif'): Foreign =>
  nft(
    hook,
    `icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept; meta nfproto ipv6 fib ${by} oif missing drop`,
  );

const satisfied = [
  filter('filter prerouting -140'),
  filter('filter prerouting 10'),
  // Of two variants of iptables in one hook, the one whose table came later goes first.
  ...(seesAll()
    ? (['nft', 'legacy'] as const).map((variant) =>
        iptables(variant, ['mangle PREROUTING -m rpfilter --validmark --invert -j DROP']),
      )
    : []),
];

const hopeless: (readonly [Foreign, place: string])[] = [
  [filter('filter prerouting -290'), 'chain inet foreign c0'],
  [filter('filter prerouting -300'), 'chain inet foreign c0'],
  [filter('filter prerouting -140', 'saddr . iif'), 'chain inet foreign c0'],
  [iptables('nft', ['raw PREROUTING -m rpfilter --validmark --invert -j DROP']), 'chain ip6 raw PREROUTING'],
  [iptables('legacy', ['raw PREROUTING -m rpfilter --validmark --invert -j DROP']), 'ip6tables-legacy-save -t raw'],
];

const everywhere = (gateway: string) =>
  Object.fromEntries(['tcp', 'udp', 'ping'].flatMap((kind) => [4, 6].map((family) => [`${kind} v${family}`, gateway])));

for (const foreign of satisfied)
  test.serial(`a reverse path filter that sees our mark: ${foreign.name}`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', foreign.makes);
    const { left } = await leaving(lab, async () => {
      t.deepEqual(await probeAll(by(lab, both)), everywhere('g2'));
      t.deepEqual(await probeAll(outside(lab)), everywhere('g1'));
      t.notRegex((await lab.via(['--dry-run', both, '--', 'true'])).stdout, /reverse path filter/);
    });
    t.deepEqual(left.filter(isNoTable), []);
  });

const asked = [['udp', 6]] as const;

for (const [foreign, place] of hopeless)
  test.serial(`one that cannot see it, which -v and a dry run tell: ${foreign.name}`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('client', foreign.makes);
    const { left } = await leaving(lab, async () => {
      t.deepEqual(await probeAll(by(lab, both), asked), { 'udp v6': 'ETIMEDOUT' });
      t.deepEqual(await probeAll(outside(lab), asked), { 'udp v6': 'g1' });
      const { stdout } = await lab.via(['--dry-run', both, '--', 'true']);
      const note = `# ${place}: a reverse path filter there may drop what comes back to a group\n`;
      t.true(stdout.includes(note), stdout);
      const { stderr } = await lab.via(['-v', both, '--', 'true']);
      t.true(stderr.includes(note), stderr);
    });
    t.deepEqual(left.filter(isNoTable), []);
  });
