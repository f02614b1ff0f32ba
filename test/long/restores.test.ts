import test from 'ava';
import { guarded } from '../helpers/firewall.js';
import { beside } from '../surroundings/foreign.js';
import { allPriorities, situations } from '../surroundings/restores.js';

for (const gateway of guarded())
  for (const [name, all] of Object.entries(situations(allPriorities, ['nft', 'legacy'])))
    test.serial(`${gateway}: beside somebody who ${name}`, (t) => beside(t, gateway, all));
