import test from 'ava';
import fc from 'fast-check';
import { readListing } from '../../src/plan/marking/listing.js';
import { nftables } from '../../src/plan/marking/nftables.js';
import { plan } from '../../src/plan/plan.js';
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
