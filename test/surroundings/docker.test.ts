import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { fixture } from '../helpers/paths.js';
import { outside, probe, probeAll, probeCommand, readProbe } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { client, far } from '../helpers/topology.js';
import { asWithoutUs, load, loaders, loseOurs } from './others.js';
import { container, docker } from './docker.js';

const both = '10.0.2.1,fd02::1';
const families = [4, 6] as const;
const boxAt = (family: 4 | 6): string => (family === 4 ? '172.17.0.2' : 'fd17::2');
const inBox = (argv: string[]): string[] => ['ip', 'netns', 'exec', 'box', ...argv];

async function makeContainer(lab: Lab): Promise<void> {
  await lab.sh('lan', container);
  const server = [process.execPath, fixture('server.mjs'), 'box', boxAt(4), boxAt(6)];
  const running = lab.own(lab.start('lan', inBox(server), { detached: true }));
  await running.waitFor(/^ready/m);
}

/** Whom the container asks and as whom, and who answers by its published port and by its own address. */
async function askContainer(lab: Lab): Promise<Record<string, string | null>> {
  const entries = families.map(async (family) => {
    const v = `v${family}` as const;
    const out = readProbe(await lab.run('lan', inBox(probeCommand('tcp', { address: far[v] }))));
    const published = (place: 'client' | 'g1') =>
      probe(outside(lab, place), 'tcp', family, { address: client.c1[v], port: 8080 });
    return [
      [`out ${v}`, `${out.gateway} ${out.source}`],
      [`in ${v}`, (await published('g1')).gateway],
      [`host ${v}`, (await published('client')).gateway],
      [`near ${v}`, (await probe(outside(lab), 'tcp', family, { address: boxAt(family) })).gateway],
    ] as const;
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}

const served = Object.fromEntries(
  families.flatMap((family) => [
    [`out v${family}`, `g1 ${client.c1[`v${family}`]}`],
    ...['in', 'host', 'near'].map((who) => [`${who} v${family}`, 'box']),
  ]),
);

/** What a group of g2 does not reach: the Internet by its gateway, the container directly and by its published port. */
async function missing(lab: Lab): Promise<string[]> {
  const answers = await probeAll(by(lab, both));
  const asked = families.flatMap((family) => [
    { address: boxAt(family), port: 7000 },
    { address: client.c1[`v${family}`], port: 8080 },
    { address: client.c2[`v${family}`], port: 8080 },
  ]);
  const script = asked.map((one) => probeCommand('tcp', one).join(' ')).join('\n');
  const lines = (await by(lab, both)(['sh', '-c', script])).stdout.split('\n');
  return [
    ...Object.entries(answers).flatMap(([kind, who]) => (who === 'g2' ? [] : [`${kind} ${who}`])),
    ...asked.flatMap(({ address }, i) => (/"gateway": "box"/.test(lines[i] ?? '') ? [] : [`${address} ${lines[i]}`])),
  ];
}

for (const loader of loaders) {
  test.serial(`Docker's rules by ${loader}, there before`, async (t) => {
    const lab = await makeLab(t);
    await makeContainer(lab);
    await lab.sh('client', load(docker, loader));
    t.deepEqual(await askContainer(lab), served);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, both);
      t.deepEqual(await missing(lab), []);
      t.deepEqual(await askContainer(lab), served);
      await held.release();
    });
    t.deepEqual(left, []);
  });

  test.serial(`Docker's rules by ${loader}, loaded while a group is in use`, async (t) => {
    const lab = await makeLab(t);
    await makeContainer(lab);
    const held = await hold(lab, both);
    await lab.sh('client', load(docker, loader));
    t.deepEqual(await missing(lab), []);
    // A launch that has to mend, and one of another group.
    await lab.sh('client', loseOurs);
    t.deepEqual(await missing(lab), []);
    t.is((await probe(by(lab, '10.0.1.3'), 'tcp', 4)).gateway, 'g3');
    t.deepEqual(await askContainer(lab), served);
    await held.release();
    t.deepEqual(await asWithoutUs(lab, docker, loader), []);
  });
}
