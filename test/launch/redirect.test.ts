import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { launchWords } from '../helpers/firewall.js';
import { fixture, python } from '../helpers/paths.js';
import { outside, probe, probeCommand } from '../helpers/probes.js';
import { by } from '../helpers/runners.js';
import { client, far, gateways, type Gateway } from '../helpers/topology.js';

/** A UDP socket that stays open, and who answered it last. */
async function talker(lab: Lab, words: string[], address: string, localPort: number) {
  const running = lab.start('client', [...words, ...probeCommand('udp', { address, localPort, talk: true })]);
  await running.waitFor(/^open$/m);
  let asked = 0;
  const ask = async () => {
    running.write('who\n');
    asked += 1;
    return (await running.waitFor(new RegExp(`^open\\n(?:.*\\n){${asked - 1}}(g\\d) `)))[1];
  };
  return { ask, end: () => running.stdin.end() };
}

for (const family of [4, 6] as const)
  test.serial(`an ICMP redirect does not move a group's packets, v${family}`, async (t) => {
    const lab = await makeLab(t);
    const v = `v${family}` as const;
    const router = (name: Gateway) => gateways[name][family === 4 ? 'v4' : 'link'] ?? '';
    const redirect = (from: Gateway, to: Gateway, port: number) =>
      lab.run(from, [
        ...python,
        fixture('redirect.py'),
        router(from),
        router(to),
        client.c1[v],
        String(port),
        far[v],
        '7000',
      ]);
    // Redirects count from the router that is in use, by its link-local address, to one that is known.
    if (family === 6) await lab.sh('client', 'ip -6 route replace default via fe80::1:1 dev c1');
    for (const name of ['g1', 'g3'] as const)
      await probe(outside(lab), 'ping', family, { address: family === 4 ? router(name) : `${router(name)}%c1` });

    const gateway = family === 4 ? router('g3') : `${router('g3')}%c1`;
    const inside = await talker(lab, [...launchWords([gateway]), '--'], far[v], 4301);
    t.is(await inside.ask(), 'g3');
    t.is((await redirect('g3', 'g1', 4301)).stderr, '');
    await new Promise((resolve) => setTimeout(resolve, 100));
    t.is(await inside.ask(), 'g3');
    t.is((await probe(by(lab, gateway), 'tcp', family)).gateway, 'g3');
    inside.end();

    // The same, sent to a socket outside: such a redirect is obeyed.
    const main = await talker(lab, [], far[v], 4302);
    t.is(await main.ask(), 'g1');
    t.is((await redirect('g1', 'g3', 4302)).stderr, '');
    await new Promise((resolve) => setTimeout(resolve, 100));
    t.is(await main.ask(), 'g3');
    main.end();
    // And does not count for a group that goes by main's router.
    const again = family === 4 ? router('g1') : `${router('g1')}%c1`;
    t.is((await probe(by(lab, again), 'tcp', family)).gateway, 'g1');
  });
