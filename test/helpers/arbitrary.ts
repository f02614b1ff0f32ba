import fc from 'fast-check';
import type { Facts, Lan } from '../../src/plan/facts.js';
import { classIdOf, SLOTS } from '../../src/plan/numbers.js';
import { FAMILIES, type Family } from '../../src/plan/family.js';
import type { Group, Path, WayOut } from '../../src/plan/wayout.js';

// Few values of each kind, so that things of two groups meet.

export const device = fc.constantFrom('c1', 'c2', 'tun0', 'eth0.100', 'a-b_c.d');

export const address = (family: Family) =>
  family === 4
    ? fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 9 })).map(([net, host]) => `10.0.${net}.${host}`)
    : fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 9 })).map(([net, host]) => `fd0${net}::${host}`);

const path = (family: Family): fc.Arbitrary<Path> =>
  fc.oneof(
    fc.record({ device, nextHop: address(family) }),
    device.map((name) => ({ device: name })),
  );

const way = (family: Family) => fc.oneof(path(family), fc.constantFrom('refuse' as const, 'allow' as const));

export const wayOut: fc.Arbitrary<WayOut> = fc
  .record({ v4: way(4), v6: way(6), lan: fc.boolean(), followsDevice: fc.boolean() })
  .filter(({ v4, v6 }) => typeof v4 !== 'string' || typeof v6 !== 'string');

const firewall = fc.constantFrom('nft' as const, 'iptables-nft' as const, 'iptables-legacy' as const);

/** Groups of one network namespace: no two have a slot or a way out in common. */
export const groups: fc.Arbitrary<Group[]> = fc
  .uniqueArray(fc.record({ slot: fc.integer({ min: 1, max: SLOTS }), uuid: fc.uuid(), wayOut, firewall }), {
    selector: ({ slot }) => slot,
    maxLength: 4,
  })
  .map((list) => list.map((group) => ({ ...group, classId: classIdOf(group.slot, 0) })));

const lan = (family: Family): fc.Arbitrary<Omit<Lan, 'order'>> =>
  fc.record({
    family: fc.constant(family),
    network:
      family === 4
        ? fc.constantFrom('10.0.1.0/24', '10.0.0.0/16', '10.0.2.0/25', '10.0.1.7')
        : fc.constantFrom('fd01::/64', 'fd00::/8', 'fe80::/64'),
    device,
  });

const mapOf = <K, V>(key: fc.Arbitrary<K>, value: fc.Arbitrary<V>) =>
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => new Map(entries));

const link = fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02');

export const facts: fc.Arbitrary<Facts> = fc.record({
  v6: fc.boolean(),
  lans: fc
    .uniqueArray(fc.oneof(lan(4), lan(6)), { selector: ({ device: on, network }) => `${on} ${network}`, maxLength: 4 })
    .map((list) =>
      list.map((one, i) => ({
        ...one,
        order: 1 + list.slice(0, i).filter(({ network }) => network === one.network).length,
      })),
    ),
  devices: fc.array(device).map((names) => new Set(names)),
  mtus: mapOf(device, fc.constantFrom(1280, 1420, 1500)),
  defaults: fc.array(
    fc.constantFrom(...FAMILIES).chain((family) =>
      fc
        .tuple(path(family), fc.constantFrom('10.0.1.0/24', '10.0.2.2', undefined), fc.boolean())
        .map(([known, source, isFirst]) => ({
          family,
          ...known,
          ...(source === undefined || family === 6 ? {} : { source }),
          ...(isFirst ? { first: true as const } : {}),
        })),
    ),
    { maxLength: 2 },
  ),
  nowhere: fc.subarray([...FAMILIES]).map((families) => new Set(families)),
  resolving: fc.array(device).map((names) => new Set(names)),
  neighbours: mapOf(
    fc.tuple(fc.oneof(address(4), address(6)), device).map((parts) => parts.join('%')),
    link,
  ),
  filtered: mapOf(device, fc.constant('0')),
  namespace: fc.constant('net:[4026531840]'),
  hierarchy: fc
    .boolean()
    .map((own) => ({ path: own ? '/run/via/net_cls' : '/sys/fs/cgroup/net_cls', own, controllers: 'net_cls' })),
  keeper: fc.constant('bash keeper'),
  records: fc.constant(new Map()),
  elsewhere: fc.boolean(),
});
