import test, { type ExecutionContext } from 'ava';
import { withClassic } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { far } from '../helpers/topology.js';
import { partAndWait } from './parting.js';
import type { Product } from './senders.js';

for (const gateway of ['g2', 'g3'] as const) {
  test.serial(`${gateway}: what the kernel says for a member leaves by its gateway`, async (t) => {
    const { others, own } = await leaveAndWait(t, 'via', gateway);
    t.deepEqual(others, []);
    t.deepEqual(missing(own, [4, 6]), []);
  });

  // By g3 the last word of a connection that the kernel waits out is lost: it looks like a new one, and like nobody's.
  if (gateway === 'g2')
    test.serial(`${gateway}: the same where conntrack has forgotten the flows`, async (t) => {
      const { others, own } = await leaveAndWait(t, 'via', gateway, 'conntrack -F 2>/dev/null');
      t.deepEqual(others, []);
      t.true(own.some((line) => /udp port \d+ unreachable/.test(line)));
    });

  if (withClassic())
    test.serial(`${gateway}: the classic recipe sends it by main`, async (t) => {
      const { others } = await leaveAndWait(t, 'classic', gateway);
      const said = others.join('\n');
      t.regex(said, /Flags \[\.\]/);
      t.regex(said, /Flags \[R\]/);
      t.regex(said, /udp port \d+ unreachable/);
    });
}

/** Has a member of a group end its connections; gives what left by another path, and what passed its own. */
const leaveAndWait = async (t: ExecutionContext, product: Product, gateway: 'g2' | 'g3', event?: string) =>
  partAndWait(await makeLab(t), product, gateway, {
    server: 'late.py',
    program: 'leave.py',
    own: 'portrange 7000-7003 or icmp or icmp6',
    ...(event === undefined ? {} : { event }),
  });

/** What of the late words, which prove that there was something to say, was not seen on the group's own path. */
function missing(own: string[], families: (4 | 6)[]): string[] {
  return families.flatMap((family) => {
    const { [`v${family}` as const]: address } = far;
    const count = (pattern: RegExp) => own.filter((line) => line.includes(address) && pattern.test(line)).length;
    return [
      ...(count(/\.7002 > .*(UDP|\[\|rx\])/) > 0 ? [] : [`v${family} UDP answer`]),
      ...(count(/7002: Flags \[R\]/) > 0 ? [] : [`v${family} reset after a late word`]),
      ...(count(/7003: Flags \[\.\]/) > 2 ? [] : [`v${family} answers of TIME_WAIT`]),
      ...(count(/700[02]: Flags \[R\.\]/) > 1 ? [] : [`v${family} resets of its own`]),
    ];
  });
}
