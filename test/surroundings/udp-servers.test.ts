import test from 'ava';
import { own, ports, serveInside, serveOutside } from '../helpers/clients.js';
import type { Running } from '../helpers/exec.js';
import { launchWords } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { sniff } from '../helpers/sniff.js';
import { client, far, gateways } from '../helpers/topology.js';

const both = '10.0.2.1,fd02::1';

/** Where UDP is asked: a device's first address, and one that it has got besides. */
const second = { c1: { v4: '10.0.1.77', v6: 'fd01::77' }, c2: { v4: '10.0.2.77', v6: 'fd02::77' } };
const asked = (['g1', 'g2', 'g3'] as const).flatMap((name) =>
  (['near', 'far'] as const).flatMap((where) =>
    (['v4', 'v6'] as const).flatMap((v) =>
      [client, second].map((addresses) => ({
        name,
        where,
        v,
        address: addresses[gateways[name].device][v],
        local: where === 'far' ? far[v] : gateways[name][v],
      })),
    ),
  ),
);
type Asked = (typeof asked)[number];

/** Asks all of them over UDP; gives those that got no answer, or one from another address or port. */
async function silentOf(lab: Lab, port: number): Promise<string[]> {
  const silent = (['g1', 'g2', 'g3'] as const).map(async (name) => {
    const questions = asked.filter((one) => one.name === name);
    const input = questions.map(({ address, local }) => `udp ${address} ${port} ${local}\n`).join('');
    const { stdout } = await lab.run(name, [...python, fixture('ask.py'), '0.5'], { input });
    const answers = stdout.split('\n');
    return questions.filter((_, i) => !/^(inside|bystander)$/.test(answers[i] ?? '')).map(describe);
  });
  return (await Promise.all(silent)).flat();
}

const describe = ({ name, where, address }: Asked): string => `${name} ${where}, ${address}`;
const those = (are: (one: Asked) => boolean): string[] => asked.filter(are).map(describe);

/** A lab whose devices have two addresses; what comes first is what the kernel chooses as a source, in v6 too. */
async function labOfTwo(t: Parameters<typeof makeLab>[0]): Promise<Lab> {
  const lab = await makeLab(t);
  const lines = (['c1', 'c2'] as const).map(
    (device) =>
      `ip address add ${second[device].v4}/24 dev ${device}; ip address add ${second[device].v6}/64 preferred_lft 0 dev ${device}`,
  );
  await lab.sh('client', lines.join('\n'));
  return lab;
}

async function end(server: Running): Promise<void> {
  server.kill();
  await server.done;
}

/** Main's route to the far address leads to g1, and g3 is no way of the group. */
const isOfG3 = ({ name, where }: Asked): boolean => name === 'g3' && where === 'far';

test.serial('a UDP server that answers from the address it was asked on, whichever it is', async (t) => {
  const lab = await labOfTwo(t);
  const answerer = [...python, fixture('answerer.py'), 'inside', String(ports.inside)];
  const server = lab.start('client', [...launchWords([both]), '--', ...answerer]);
  await server.waitFor(/^ready$/m);
  t.deepEqual(await silentOf(lab, ports.inside), those(isOfG3));
  server.stdin.end();
  t.is((await server.done).code, 0);
});

test.serial('UDP servers of one address each', async (t) => {
  const lab = await labOfTwo(t);
  const addresses = [...own, ...Object.values(second).flatMap(({ v4, v6 }) => [v4, v6])];
  const server = await serveInside(lab, [both], addresses);
  t.deepEqual(await silentOf(lab, ports.inside), those(isOfG3));
  await end(server);
});

// One socket for all addresses, which leaves it to the kernel by which it answers: as CAVEATS of the manual page says.
for (const [any, families] of [
  ['0.0.0.0', ['v4']],
  ['::', ['v4', 'v6']],
] as const)
  test.serial(`a UDP server on ${any} answers from the first address of the device it was asked by`, async (t) => {
    const lab = await labOfTwo(t);
    const isNot = ({ v, address }: Asked): boolean =>
      !families.some((family) => family === v) || address.endsWith('77');
    const outside = await serveOutside(lab, [any]);
    const isOfB = ({ name, where }: Asked): boolean => name !== 'g1' && where === 'far';
    t.deepEqual(
      await silentOf(lab, ports.bystander),
      those((one) => isOfB(one) || isNot(one)),
    );
    await end(outside);
    const server = await serveInside(lab, [both], [any]);
    const capture = await sniff(lab, 'g2', 'eth0', `src port ${ports.inside} and udp`);
    t.deepEqual(
      await silentOf(lab, ports.inside),
      those((one) => isOfG3(one) || isNot(one)),
    );
    // Also where it is not the one that was asked, with the port that was.
    const answers = await capture.stop();
    t.true(answers.length >= 4 * families.length);
    for (const line of answers) t.regex(line, / (10\.0\.2\.2|fd02::2)\.7000 > /);
    await end(server);
  });
