import test, { type ExecutionContext } from 'ava';
import { watchOthers } from '../closed/other-path.js';
import { late, partAndWait } from '../closed/parting.js';
import { bothOf, inGroup, type Product } from '../closed/senders.js';
import { withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { fixture, python } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';
import { client, far } from '../helpers/topology.js';

/** Has a program end its connections in both ways; gives what left by another path, and what by the gateway's. */
const closeAndWait = async (t: ExecutionContext, product: Product, gateway: 'g2' | 'g3') =>
  partAndWait(await makeLab(t, { servers: false }), product, gateway, {
    server: 'closing.py',
    program: 'close.py',
    own: 'tcp',
  });

for (const gateway of ['g2', 'g3'] as const) {
  test.serial(`${gateway}: the other end closes first, or takes its time after our half is closed`, async (t) => {
    const { others, own, heard } = await closeAndWait(t, 'via', gateway);
    t.is(heard, '7005 1\n7006 3\n7005 1\n7006 3\nleft\n');
    t.deepEqual(others, []);
    for (const address of [far.v4, far.v6]) {
      const count = (pattern: RegExp) =>
        own.filter((line) => line.includes(` > ${address}.`) && pattern.test(line)).length;
      // Our FIN again, when nobody has the socket any more; and what TIME_WAIT answers.
      t.true(count(/7005: Flags \[F\.\]/) > 1, address);
      t.true(count(/7006: Flags \[\.\]/) > 4, address);
      t.is(count(/Flags \[R/), 0, address);
    }
  });

  if (withClassic())
    test.serial(`${gateway}: the classic recipe has TIME_WAIT answer by main`, async (t) => {
      const { others, heard } = await closeAndWait(t, 'classic', gateway);
      t.is(heard, '7005 1\n7006 3\nleft\n');
      t.regex(others.join('\n'), /7006: Flags \[\.\]/);
    });

  test.serial(`${gateway}: nothing is left to be said for connections that both ends have closed`, async (t) => {
    const lab = await makeLab(t);
    const others = await watchOthers(lab, gateway);
    // Until the other end has closed: what it closes after the group comes too late.
    const script = `cat </dev/tcp/${far.v4}/7000; cat </dev/tcp/${far.v6}/7000; printf 'a\\n' >/dev/udp/${far.v4}/7000`;
    const { result, left } = await leaving(lab, () =>
      lab.run('client', inGroup('via', gateway, ['bash', '-c', script])),
    );
    t.is(result.stdout.match(new RegExp(`^${gateway} `, 'gm'))?.length, 2, result.stdout + result.stderr);
    await late();
    t.deepEqual(left, []);
    const said = await others.stop();
    // An answer that nobody waited for is refused by the machine, whose address it came to.
    t.deepEqual(
      said.filter((line) => !/udp port \d+ unreachable/.test(line)),
      [],
    );
  });
}

/** What the client says by main to segments and datagrams that come to it by g2, and that nobody there waits for. */
async function unsolicited(lab: Lab): Promise<string[]> {
  const others = await watchOthers(lab, 'g2');
  const script = (['v4', 'v6'] as const).map((v) => {
    const lines = ['tcp', 'udp'].map((kind) => `${kind} ${client.c2[v]} 6001 ${far[v]}`).join('\\n');
    return `printf '${lines}\\n' | ${python.join(' ')} ${fixture('ask.py')} 0.2`;
  });
  await lab.sh('g2', script.join('\n'));
  return others.stop();
}

// As CAVEATS of the manual page says. Nothing can be left behind that would send it another way.
test.serial('after the group, what comes late is refused by main, as whatever nobody waits for', async (t) => {
  const lab = await makeLab(t);
  const refusals = /Flags \[R\.?\]|unreachable/;
  const before = await unsolicited(lab);
  t.is(before.filter((line) => refusals.test(line)).length, before.length);
  for (const source of [client.c2.v4, client.c2.v6])
    for (const said of [/Flags \[R\.?\]/, /unreachable/])
      t.true(
        before.some((line) => line.includes(` ${source}`) && said.test(line)),
        `${source} ${said}`,
      );
  await lab.serve('g2', ['/usr/bin/python3', fixture('late.py')]);
  const others = await watchOthers(lab, 'g2');
  const { result, left } = await leaving(lab, () =>
    lab.run('client', inGroup('via', 'g2', [...python, fixture('leave.py')])),
  );
  t.is(result.code, 0, result.stderr);
  t.deepEqual(left, []);
  await late();
  const said = await others.stop();
  t.deepEqual(
    said.filter((line) => !refusals.test(line)),
    [],
  );
  t.not(said.length, 0);
  // While anybody is in the group, none of it.
  const held = await hold(lab, bothOf('g2'));
  const again = await watchOthers(lab, 'g2');
  await lab.run('client', inGroup('via', 'g2', [...python, fixture('leave.py')]));
  await late();
  t.deepEqual(await again.stop(), []);
  await held.release();
});
