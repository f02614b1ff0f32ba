import test from 'ava';
import { lowestMet } from '../../src/gateway/policy.js';
import type { RuleLine } from '../../src/kernel/routing.js';

const usual: RuleLine[] = [
  { priority: 0, table: '255' },
  { priority: 32766, table: '254' },
  { priority: 32767, table: '253' },
];

// Rules as `ip -N -j rule show` prints them (iproute2 6.1), and whether packets with a mark of ours meet them.
const RULES: readonly (readonly [what: string, rule: RuleLine, isMet: boolean])[] = [
  ['a look-up in another table', { priority: 400, table: '254' }, true],
  ["WireGuard's, for all but its own", { priority: 400, not: null, fwmark: '0xca6c', table: '51820' }, true],
  ['for another mark, all of which is looked at', { priority: 400, fwmark: '0x1', table: '7' }, false],
  ['for bits that are not ours', { priority: 400, fwmark: '0x10000', fwmask: '0xff0000', table: '7' }, true],
  ['for what came in by a device', { priority: 400, iif: 'eth1', table: '7' }, false],
  ['for what is sent from here', { priority: 400, iif: 'lo', table: '7' }, true],
  ['the local table, moved down', { priority: 400, table: '255' }, false],
  ['a place to go to', { priority: 400, nop: null }, false],
  ['a refusal', { priority: 400, action: '7' }, true],
  [
    'one of ours',
    { priority: 400, iif: 'lo', fwmark: '0xc000000', fwmask: '0xff000000', table: '7012', protocol: '118' },
    false,
  ],
];

for (const [what, rule, isMet] of RULES)
  test(`${isMet ? 'met' : 'not met'}: ${what}`, (t) => {
    t.is(lowestMet([...usual, rule]), isMet ? 400 : 32766);
  });

test('without any rule none is met', (t) => t.is(lowestMet([]), Infinity));
