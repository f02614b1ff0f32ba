import test from 'ava';
import type { Running } from '../helpers/exec.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import { watchOthers } from './other-path.js';
import { bothOf, inGroup, type Product } from './senders.js';

const size = 200_000;

/** A program that writes into connections of both families, and is gone before the other end has taken it. */
const push = (lab: Lab, gateway: 'g2' | 'g3', protocol: Protocol = 'tcp', product: Product = 'via'): Running =>
  lab.start('client', inGroup(product, gateway, [...python, fixture('push.py'), String(size), protocol]));

type Protocol = 'tcp' | 'mptcp';

const served = (lab: Lab, gateway: 'g2' | 'g3', ...words: string[]): Promise<Running> =>
  lab.serve(gateway, [...python, fixture('slow.py'), ...words]);

for (const [gateway, protocol] of [
  ['g2', 'tcp'],
  ['g3', 'tcp'],
  ['g2', 'mptcp'],
  ['g3', 'mptcp'],
] as const) {
  test.serial(
    `${gateway}: what the command sent last by ${protocol} arrives, and nothing of it leaves by main`,
    async (t) => {
      const lab = await makeLab(t, { servers: false });
      const server = await served(lab, gateway, protocol);
      const before = await snapshot(lab);
      const capture = await watchOthers(lab, gateway);
      t.is((await push(lab, gateway, protocol).done).code, 0);
      t.deepEqual(diff(before, await snapshot(lab)), []);
      // What is still on its way would have been sent again by now.
      await server.waitFor(new RegExp(`(^got ${size}\n[^]*){2}`, 'm'));
      t.deepEqual(await capture.stop(), []);
    },
  );

  test.serial(`${gateway}: what cannot arrive by ${protocol} is given up before the group is`, async (t) => {
    const lab = await makeLab(t, { servers: false });
    await served(lab, gateway, 'deaf', protocol);
    const before = await snapshot(lab);
    const capture = await watchOthers(lab, gateway);
    const { code, ms } = await push(lab, gateway, protocol).done;
    t.is(code, 0);
    t.true(ms < 5000, `${ms} ms`);
    t.deepEqual(diff(before, await snapshot(lab)), []);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    t.deepEqual(await capture.stop(), []);
  });
}

for (const deaf of [[], ['deaf']])
  test.serial(
    `Multipath TCP to a server of plain TCP, ${deaf.length > 0 ? 'which takes nothing' : 'which takes all'}`,
    async (t) => {
      const lab = await makeLab(t, { servers: false });
      const server = await served(lab, 'g2', ...deaf);
      const before = await snapshot(lab);
      const capture = await watchOthers(lab, 'g2');
      const { code, ms } = await push(lab, 'g2', 'mptcp').done;
      t.is(code, 0);
      t.true(ms < 5000, `${ms} ms`);
      t.deepEqual(diff(before, await snapshot(lab)), []);
      if (deaf.length === 0) await server.waitFor(new RegExp(`(^got ${size}\n[^]*){2}`, 'm'));
      else await new Promise((resolve) => setTimeout(resolve, 1000));
      t.deepEqual(await capture.stop(), []);
    },
  );

test.serial('a group in use is left without waiting', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await served(lab, 'g2', 'deaf');
  const first = lab.start('client', inGroup('via', 'g2', ['sh', '-c', 'echo in; read _'], [bothOf('g2')]));
  await first.waitFor(/^in$/m);
  const { ms } = await push(lab, 'g2').done;
  t.true(ms < 900, `${ms} ms`);
  first.stdin.end();
  await first.done;
});
