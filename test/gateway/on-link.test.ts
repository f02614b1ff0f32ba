import test from 'ava';
import { onLinkOn } from '../../src/gateway/routes.js';

const routes = [
  { dst: 'default', gateway: '10.0.1.1', dev: 'eth0' },
  { dst: '10.0.0.0/16', dev: 'eth0' },
  { dst: '10.0.1.0/24', dev: 'eth1', type: '1' },
  { dst: '10.0.3.0/24', dev: 'eth0' },
  { dst: '10.0.3.0/24', dev: 'eth1', table: '100' },
  { dst: '10.0.4.0/24', dev: 'eth0', type: '7' }, // unreachable
  { dst: '10.0.5.0/24', gateway: '10.0.1.9', dev: 'eth1' },
  { dst: '10.0.6.0/24', via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth1' },
  { dst: '0.0.0.0/1', dev: 'tun0' },
  { dst: '128.0.0.0/1', dev: 'tun0' },
  { dst: 'default', gateway: '192.0.2.1', dev: 'eth1', flags: ['onlink'], table: '100' },
  {
    dst: '198.51.100.0/24',
    nexthops: [
      { gateway: '192.0.2.7', dev: 'eth0' },
      { gateway: '192.0.2.7', dev: 'eth1' },
    ],
  },
];

const rows: [address: string, device: string | undefined, devices: string[]][] = [
  ['10.0.2.1', undefined, ['eth0']],
  ['10.0.1.1', undefined, ['eth1']], // The longest prefix, whatever a route says of its next hop;
  ['10.0.1.1', 'eth0', ['eth0']], // on the device named, its longest.
  ['10.0.1.1', 'eth2', []],
  ['10.0.3.1', undefined, ['eth0', 'eth1']],
  ['10.0.3.1', 'eth1', ['eth1']],
  ['10.0.4.1', undefined, ['eth0']],
  ['10.0.5.1', undefined, ['eth0']],
  ['10.0.6.1', undefined, ['eth0']],
  ['192.0.2.1', undefined, ['eth1']],
  ['192.0.2.1', 'eth0', []],
  ['192.0.2.7', undefined, ['eth0', 'eth1']],
  ['192.0.2.7', 'eth1', ['eth1']],
  ['192.0.2.9', undefined, []],
  ['10.9.9.9', 'tun0', []],
];

for (const [address, device, devices] of rows)
  test(`${address}${device === undefined ? '' : ` on ${device}`}: ${devices.join(' and ') || 'on no link'}`, (t) => {
    t.deepEqual(onLinkOn(address, 4, routes, device), devices);
  });

test('the same for IPv6', (t) => {
  const v6 = [
    { dst: 'fe80::/64', dev: 'eth0' },
    { dst: 'fe80::/64', dev: 'eth1' },
    { dst: '2001:db8:1::/64', dev: 'eth1' },
    { dst: 'default', gateway: 'fd09::1', dev: 'eth0' },
  ];
  t.deepEqual(onLinkOn('fe80::1', 6, v6, 'eth1'), ['eth1']);
  t.deepEqual(onLinkOn('2001:db8:1::7', 6, v6), ['eth1']);
  t.deepEqual(onLinkOn('fd09::1', 6, v6), ['eth0']);
});
