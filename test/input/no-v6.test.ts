import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { outside, probe } from '../helpers/probes.js';
import { refuses } from '../helpers/refused.js';
import { watchTools } from '../helpers/tools.js';

const gateways = ['10.0.2.1', '10.0.1.3', 'c1'];

test.serial('IPv6 is turned off everywhere: IPv4 works without a word', async (t) => {
  const lab = await makeLab(t, { v6: false, rpFilter: { c2: 1 } });
  await lab.sh('client', 'for d in all default c1 c2 lo; do echo 1 >/proc/sys/net/ipv6/conf/$d/disable_ipv6; done');
  for (const gateway of [...gateways, '10.0.2.1']) {
    const { result, left } = await leaving(lab, () => lab.via([gateway, '--', 'echo', 'ran']));
    t.deepEqual([result.code, result.stdout, result.stderr, left], [0, 'ran\n', '', []], gateway);
  }
  const via = (argv: string[]) => lab.via(['10.0.2.1', '--', ...argv]);
  for (const kind of ['tcp', 'udp', 'ping'] as const) t.is((await probe(via, kind, 4)).gateway, 'g2', kind);
  t.not((await probe(via, 'tcp', 6)).error, null);
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
  await refuses(t, lab, ['fd02::1', '--', 'true'], /^via: gateway fd02::1: not on-link/m);
});

test.serial('it is turned off on one device only', async (t) => {
  const lab = await makeLab(t, { rpFilter: { c2: 1 } });
  await lab.sh('client', 'echo 1 >/proc/sys/net/ipv6/conf/c2/disable_ipv6');
  const via = (argv: string[]) => lab.via(['10.0.2.1', '--', ...argv]);
  const { left } = await leaving(lab, async () => {
    t.is((await probe(via, 'tcp', 4)).gateway, 'g2');
    t.is((await probe(via, 'tcp', 6)).gateway, null);
  });
  t.deepEqual(left, []);
});

/**
 * A kernel started with ipv6.disable=1, as far as can be had here: the file by which one sees that there is IPv6 is
 * hidden from via's own process. What netfilter does without IPv6 is not seen by this.
 */
const hidden = ['unshare', '--mount', 'sh', '-ec', 'mount -t tmpfs none /proc/$$/net; exec "$@"', 'hidden'];

test.serial('the kernel has no IPv6', async (t) => {
  const lab = await makeLab(t, { v6: false, rpFilter: { c2: 1 } });
  const tools = await watchTools(lab);
  const via = (...words: string[]) => lab.run('client', [...hidden, viaBin, ...words]);
  const { left } = await leaving(lab, async () => {
    const { result, steps } = await tools.during('fail', 'no.1', () => via('-v', '10.0.2.1', '--', 'echo', 'ran'));
    t.deepEqual([result.code, result.stdout], [0, 'ran\n']);
    t.true(steps.length > 10);
    t.deepEqual(
      // A keeper does not see the hidden file, and has looked where the launch was slow.
      steps.filter((step) => /-6/.test(step) && !step.startsWith('keeper:')),
      [],
    );
    // Names of sets and maps that stand for both are all there is of it.
    t.notRegex(result.stderr, /^ip -6|ip6? daddr fe80|nfproto ipv6|rt ip6|ipv6-icmp/m);
    const seen = await probe((argv) => via('10.0.2.1', '--', ...argv), 'tcp', 4);
    t.like(seen, { gateway: 'g2', error: null });
  });
  t.deepEqual(left, []);
  const line = /^via: gateway fd02::1: this kernel has no IPv6$/m;
  await refuses(t, lab, ['fd02::1', '--', 'true'], line, { by: hidden });
});
