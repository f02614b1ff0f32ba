import test from 'ava';
import fc from 'fast-check';
import { firewalls } from '../../src/plan/marking/firewalls.js';
import { plan } from '../../src/plan/plan.js';
import { wanted } from '../../src/plan/wanted.js';
import { facts, groups } from '../helpers/arbitrary.js';

// A launch has its own group as the last one; whoever looks after it, in the order in which the kernel lists them.
test('what is wanted does not depend on the order of the groups', (t) => {
  fc.assert(
    fc.property(groups, facts, fc.constantFrom('nft', 'iptables-nft', 'iptables-legacy'), (list, known, firewall) => {
      const alive = list.map((group) => ({ ...group, firewall }));
      const seen = wanted(alive, known, firewalls);
      t.deepEqual(plan(wanted([...alive].reverse(), known, firewalls), seen), []);
    }),
  );
});
