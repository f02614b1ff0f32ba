import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { outside, probe, type Kind } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { client, far, gateways } from '../helpers/topology.js';
import { stopped } from './other-path.js';
import { bothOf, inGroup, startSender } from './senders.js';

const families = [4, 6] as const;
const kinds: Kind[] = ['tcp', 'udp', 'ping'];
const names = ['g1', 'g2', 'g3'] as const;

/** Groups of both gateways, and a member that the guard stops all the time. */
async function busy(lab: Lab): Promise<() => Promise<void>> {
  const held = [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))];
  const sender = await startSender(lab, (argv) => inGroup('via', 'g2', argv), 'c1');
  return async () => {
    await sender.end();
    for (const one of held) await one.release();
  };
}

/** What comes of many questions at once: by name, who answered or the error. */
async function ask(questions: Record<string, () => ReturnType<typeof probe>>): Promise<Record<string, string>> {
  const asked = Object.entries(questions).map(async ([name, question]) => {
    const { gateway, error } = await question();
    return [name, gateway ?? error ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(asked));
}

const every = <T>(make: (kind: Kind, family: 4 | 6) => Record<string, T>): Record<string, T> =>
  Object.assign({}, ...kinds.flatMap((kind) => families.map((family) => make(kind, family)))) as Record<string, T>;

test.serial('programs outside send as before, also where neighbours have to be found first', async (t) => {
  const lab = await makeLab(t);
  const questions = every((kind, family) => ({
    [`${kind} v${family} far`]: () => probe(outside(lab), kind, family),
    ...Object.fromEntries(
      names.map((name) => [
        `${kind} v${family} ${name}`,
        () => probe(outside(lab), kind, family, { address: gateways[name][`v${family}`] }),
      ]),
    ),
  }));
  const before = await ask(questions);
  t.deepEqual([...new Set(Object.values(before))].sort(), ['g1', 'g2', 'g3']);
  const end = await busy(lab);
  const guarded = await stopped(lab);
  await lab.sh('client', 'ip neigh flush all; ip -6 neigh flush all');
  t.deepEqual(await ask(questions), before);
  t.true((await stopped(lab)) > guarded);
  await end();
  t.deepEqual(await ask(questions), before);
});

test.serial('what the kernel answers itself: closed ports and ping', async (t) => {
  const lab = await makeLab(t);
  const port = 9;
  const questions = every((kind, family) =>
    Object.fromEntries(
      names.flatMap((name) =>
        ([gateways[name], far] as const).map(({ [`v${family}` as const]: local }) => [
          `${kind} v${family} ${local} by ${name}`,
          () => {
            const address = client[gateways[name].device][`v${family}`];
            return probe(outside(lab, name), kind, family, { address, port, local, timeout: 0.5 });
          },
        ]),
      ),
    ),
  );
  const before = await ask(questions);
  const answered = (answers: Record<string, string>) =>
    Object.entries(answers).filter(([name]) => before[name] !== 'ETIMEDOUT');
  // A neighbour, and whoever is behind main's router: two of three gateways are asked for far, in vain.
  t.is(answered(before).length, kinds.length * families.length * 4);
  const end = await busy(lab);
  t.deepEqual(answered(await ask(questions)), answered(before));
  await end();
});

test.serial('what is forwarded between the links, with its errors', async (t) => {
  const lab = await makeLab(t, { mtuB: 1400 });
  await lab.sh('client', 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding');
  await lab.sh('g1', 'ip route add 10.0.2.0/24 via 10.0.1.2; ip -6 route add fd02::/64 via fd01::2');
  await lab.sh('g2', 'ip route add 10.0.1.0/24 via 10.0.2.2; ip -6 route add fd01::/64 via fd02::2');
  const look = async () => {
    const answers = await ask(
      every((kind, family) => {
        const address = gateways.g2[`v${family}`];
        return {
          [`${kind} v${family}`]: () => probe(outside(lab, 'g1'), kind, family, { address }),
          [`${kind} v${family} closed`]: () => probe(outside(lab, 'g1'), kind, family, { address, port: 9 }),
        };
      }),
    );
    const pings = families.flatMap((family) => [
      ['ping', '-n', '-c1', '-W1', '-t1', gateways.g2[`v${family}`]],
      ['ping', '-n', '-c1', '-W1', '-Mdo', '-s1450', gateways.g2[`v${family}`]],
    ]);
    const errors = await Promise.all(pings.map((argv) => lab.run('g1', argv)));
    return { ...answers, errors: errors.map(({ stdout }) => /^From .*/m.exec(stdout)?.[0]) };
  };
  const before = await look();
  t.is(before.errors.filter((error) => /exceeded|mtu ?= ?1400/i.test(error ?? '')).length, 4, String(before.errors));
  const end = await busy(lab);
  // A path MTU that was learned would answer in the router's place.
  await lab.sh('g1', 'ip route flush cache; ip -6 route flush cache');
  t.deepEqual(await look(), before);
  await end();
});
