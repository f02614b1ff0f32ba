import test from 'ava';
import { guarded } from '../helpers/firewall.js';
import { beside } from './foreign.js';
import { situations } from './restores.js';

// Where it goes wrong first: between conntrack and everybody's mangle. test/long/restores.test.ts has them all.
for (const gateway of guarded())
  test.serial(`${gateway}: beside others who save, restore and set marks`, (t) =>
    beside(t, gateway, Object.values(situations([-151], [])).flat()),
  );
