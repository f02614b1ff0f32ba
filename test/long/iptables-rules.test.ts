import test from 'ava';
import fc from 'fast-check';
import { iptables, type IptablesVariant } from '../../src/plan/marking/iptables/iptables.js';
import { readSave } from '../../src/plan/marking/iptables/listing.js';
import { plan } from '../../src/plan/plan.js';
import { facts, groups } from '../helpers/arbitrary.js';
import { makeLab } from '../helpers/lab.js';

for (const by of ['iptables-nft', 'iptables-legacy'] satisfies IptablesVariant[])
  test.serial(`${by} takes the rules of any groups, and lists them as they are wanted`, async (t) => {
    const lab = await makeLab(t, { servers: false });
    const marking = iptables(by);
    const seen = async () => {
      const saved = await Promise.all([
        lab.run('client', [`${by}-save`, '-c']),
        lab.run('client', [`${by.replace('ip', 'ip6')}-save`, '-c']),
      ]);
      return saved.flatMap(({ stdout }, i) => readSave(by, i === 0 ? 4 : 6, stdout).things);
    };
    await fc.assert(
      fc.asyncProperty(groups, facts, async (list, known) => {
        const marked = list.map((group) => ({ ...group, firewall: by }));
        const wanted = marking.wanted(marked, { ...known, v6: true });
        for (const { argv, input } of marking.transactions(plan(wanted, await seen()))) {
          const { code, stderr } = await lab.run('client', [...argv], { input });
          t.deepEqual([code, stderr], [0, ''], input);
        }
        t.deepEqual(plan(wanted, await seen()), []);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
