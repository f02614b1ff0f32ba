import { BlockList } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { containing, sameAddress } from '../../src/plan/networks.js';

const rows: [network: string, address: string, family: 4 | 6, inside: boolean][] = [
  ['10.0.1.0/24', '10.0.1.255', 4, true],
  ['10.0.1.0/24', '10.0.2.0', 4, false],
  ['10.0.1.1', '10.0.1.1', 4, true],
  ['10.0.1.1', '10.0.1.2', 4, false],
  ['0.0.0.0/1', '127.255.255.255', 4, true],
  ['0.0.0.0/1', '128.0.0.0', 4, false],
  ['default', '255.255.255.255', 4, true],
  ['default', '::', 6, true],
  ['fe80::/64', 'fe80::1:2', 6, true],
  ['fe80::/64', 'fe80:0:0:1::', 6, false],
  ['fd01::/64', 'fd01::', 6, true],
  ['::/0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 6, true],
  ['::ffff:0:0/96', '::ffff:10.0.0.1', 6, true],
  ['64:ff9b::/96', '64:ff9b::1.2.3.4', 6, true],
  ['fd00::/7', 'fe00::1', 6, false],
];

for (const [network, address, family, inside] of rows)
  test(`${network} ${inside ? 'contains' : 'does not contain'} ${address}`, (t) => {
    t.is(containing(network, address, family), inside);
  });

const kinds = [
  { family: 4, address: fc.ipV4(), bits: 32, name: 'ipv4' },
  { family: 6, address: fc.ipV6(), bits: 128, name: 'ipv6' },
] as const;

for (const { family, address, bits, name } of kinds)
  test(`v${family}: the same as Node says`, (t) => {
    fc.assert(
      fc.property(address, address, fc.integer({ min: 1, max: bits }), (network, other, length) => {
        const list = new BlockList();
        list.addSubnet(network, length, name);
        t.is(containing(`${network}/${length}`, other, family), list.check(other, name));
        t.true(containing(`${network}/${length}`, network, family));
      }),
    );
  });

test('a route to one address', (t) => {
  t.true(sameAddress('10.0.0.1', '10.0.0.1'));
  t.true(sameAddress('10.0.0.1/32', '10.0.0.1'));
  t.true(sameAddress('fe80::1/128', 'fe80::1'));
  t.false(sameAddress('10.0.0.1/24', '10.0.0.1'));
  t.false(sameAddress('default', '10.0.0.1'));
});
