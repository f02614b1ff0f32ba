import test from 'ava';
import fc from 'fast-check';
import { nftables } from '../../src/plan/marking/nftables/nftables.js';
import { classIdOf } from '../../src/plan/numbers.js';
import { keyOf, parseKey, type Group, type WayOut } from '../../src/plan/wayout.js';
import { facts, groups, wayOut } from '../helpers/arbitrary.js';

test('the key of a way out and back', (t) => {
  fc.assert(fc.property(wayOut, (way) => t.deepEqual(parseKey(keyOf(way)), way)));
});

test('what a key looks like', (t) => {
  const v4 = { device: 'c2', nextHop: '10.0.2.1' };
  const rows: [WayOut, string][] = [
    [{ v4, v6: 'refuse', lan: true, followsDevice: false }, '4=10.0.2.1%c2 6=refuse'],
    [{ v4, v6: 'allow', lan: false, followsDevice: false }, '4=10.0.2.1%c2 6=allow no-lan'],
    [{ v4: { device: 'wg0' }, v6: { device: 'wg0' }, lan: true, followsDevice: true }, '4=%wg0 6=%wg0 follow'],
  ];
  for (const [way, key] of rows) t.is(keyOf(way), key);
});

test('what is no key is none', (t) => {
  const rows = [
    '',
    '4=10.0.2.1%c2',
    '4=refuse',
    '4=10.0.2.1 6=refuse',
    '4=%c2 6=maybe',
    '4=%c2 6=refuse no-lan follow',
  ];
  for (const text of rows) t.is(parseKey(text), undefined, text);
  for (const text of ['4=%c2 6=refuse\n', ' 4=%c2 6=refuse', '4=%c2 6=%c"2', '4=%c2  6=refuse'])
    t.is(parseKey(text), undefined, text);
  fc.assert(fc.property(fc.string(), (text) => t.is(parseKey(text), undefined)));
});

test('the longest key has room in a comment of nft, which has 127 bytes', (t) => {
  const name = 'abcdefghijklmno';
  const longest: Group = {
    uuid: '00000000-0000-4000-8000-000000000000',
    slot: 127,
    classId: classIdOf(127, 0),
    firewall: 'nft',
    wayOut: {
      v4: { device: name, nextHop: '255.255.255.255' },
      v6: { device: name, nextHop: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
      lan: false,
      followsDevice: true,
    },
  };
  const revision = 'source'.length; // The build's has eight digits.
  fc.assert(
    fc.property(facts, groups, (known, more) => {
      for (const thing of nftables.wanted([longest, ...more.filter(({ slot }) => slot !== 127)], known))
        for (const line of thing.kind === 'firewall' ? thing.add() : []) {
          const comment = /comment "([^"]*)"$/.exec(line)?.[1] ?? '';
          t.true(comment.length - revision + 8 <= 127, line);
        }
    }),
  );
});
