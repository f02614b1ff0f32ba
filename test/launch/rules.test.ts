import test from 'ava';
import fc from 'fast-check';
import { readListing } from '../../src/plan/marking/nftables/listing.js';
import { nftables } from '../../src/plan/marking/nftables/nftables.js';
import { plan } from '../../src/plan/plan.js';
import { parseRouting, readJob, routingThings } from '../../src/kernel/routing.js';
import { fallbackRouting } from '../../src/plan/fallback.js';
import { wantedRouting } from '../../src/plan/routing.js';
import { facts, groups } from '../helpers/arbitrary.js';
import { makeLab } from '../helpers/lab.js';

test.serial('nft takes the rules of any groups, and lists them as they are wanted', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const seen = async () => {
    const { stdout } = await lab.run('client', ['nft', '-j', 'list', 'table', 'inet', 'via']);
    return readListing(stdout);
  };
  await fc.assert(
    // One after the other: each is made from what the one before has left.
    fc.asyncProperty(groups, facts, async (list, known) => {
      const wanted = nftables.wanted(list, known);
      const before = await seen();
      for (const { argv, input } of nftables.transactions(plan(wanted, before.things))) {
        const { code, stderr } = await lab.run('client', [...argv], { input: input ?? '' });
        t.deepEqual([code, stderr], [0, ''], input);
      }
      const after = await seen();
      t.deepEqual(plan(wanted, after.things), []);
      const key = ({ uuid, slot, wayOut }: (typeof after.groups)[number]) => JSON.stringify([uuid, slot, wayOut]);
      t.deepEqual(after.groups.map(key).sort(), list.map(key).sort());
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

test.serial('ip takes the routes and rules of any groups, and lists them as they are wanted', async (t) => {
  const lab = await makeLab(t, { servers: false });
  // All devices that groups may have, none of them with an address that could be a next hop's.
  await lab.sh('client', 'ip address flush dev c1; ip address flush dev c2; ip link set lo down; ip link set lo up');
  for (const device of ['tun0', 'eth0.100', 'a-b_c.d'])
    await lab.sh(
      'client',
      `ip link add ${device} type veth peer name peer; ip link set peer up; ip link set peer name x${device}`,
    );
  await lab.sh(
    'client',
    'for d in c1 c2 tun0 eth0.100 a-b_c.d; do ip link set $d up; ip -6 address add fe80::7/64 dev $d nodad; done',
  );
  const ip = async (family: 4 | 6, input: string) => {
    const { code, stdout, stderr } = await lab.run('client', ['ip', `-${family}`, '-N', '-j', '-batch', '-'], {
      input,
    });
    t.deepEqual([code, stderr], [0, ''], input);
    return stdout;
  };
  await fc.assert(
    fc.asyncProperty(groups, facts, async (list, known) => {
      const all = { ...known, v6: true };
      const wanted = [...wantedRouting(list, all), ...fallbackRouting(list, all)];
      for (const family of [4, 6] as const) {
        const ofFamily = wanted.filter((thing) => thing.family === family);
        const seen = async () => routingThings(family, parseRouting(await ip(family, readJob(family).input ?? '')));
        const changes = plan(ofFamily, await seen());
        await ip(
          family,
          changes
            .flatMap(({ do: what, thing }) =>
              thing.kind === 'route' || thing.kind === 'rule'
                ? [`${thing.kind} ${what === 'remove' ? 'del' : 'add'} ${thing.words}\n`]
                : [],
            )
            .join(''),
        );
        t.deepEqual(plan(ofFamily, await seen()), []);
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
});
