import test from 'ava';
import { firewallEvents, networkEvents, type Seen } from '../../src/plan/events.js';
import type { Group } from '../../src/plan/wayout.js';

const group: Group = {
  uuid: '8f2de629-53cb-4514-ba8c-548adf449d4c',
  slot: 12,
  classId: 0x7669000c,
  firewall: 'nft',
  wayOut: {
    v4: { device: 'eth1.5', nextHop: '10.0.2.1' },
    v6: { device: 'eth1.5', nextHop: 'fd02::1' },
    lan: true,
    followsDevice: false,
  },
};

const seen: Seen = {
  neighbours: new Map([['10.0.2.1%eth1.5', '02:00:00:00:02:01']]),
  links: new Map([['eth1.5', '<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500']]),
  indexes: new Map([['eth1.5', 7]]),
  failed: new Set(['fd02::1%eth1.5']),
};

/** Whether a line of `ip -N -o monitor` wakes the keeper. */
function wakes(line: string): boolean {
  const { loud, quiet } = networkEvents([group], seen);
  return new RegExp(perl(loud)).test(line) && !new RegExp(perl(quiet)).test(line);
}

/** JavaScript knows no [[:blank:]]. */
const perl = (pattern: string): string => pattern.replaceAll('[[:blank:]]', '[ \\t]');

const link = (name: string, flags: string, mtu = 1500): string => `5: ${name}@if2: <${flags}> mtu ${mtu} qdisc noqueue`;
const up = 'BROADCAST,MULTICAST,UP,LOWER_UP';

// Lines as iproute2 6.1 prints them.
const LOUD = [
  'Deleted 512:\tfrom all fwmark 0xc000000/0xff000000 iif lo lookup 7012 proto 118 ',
  '499:\tnot from all fwmark 0xca6c lookup 51820 ',
  'Deleted 499:\tfrom all lookup 254 ',
  'Deleted 7 default table 7012 proto 118 metric 4294967295 ',
  'Deleted 10.0.1.0/24 dev c1 table 7012 proto 118 scope 253 metric 1 ',
  'default via 10.0.1.3 dev c1 ',
  'Deleted default via fd01::1 dev c1 metric 1024 pref medium',
  '0.0.0.0/1 via 10.8.0.1 dev tun0 ',
  '10.0.3.0/24 dev c2 proto 2 scope 253 src 10.0.3.2 ',
  'fd03::/64 dev c2 proto 2 metric 256 pref medium',
  '2 fd02::2 dev eth1.5 table 255 proto 2 metric 0 pref medium',
  link('eth1.5', 'BROADCAST,MULTICAST'),
  link('eth1.5', `NO-CARRIER,${up}`),
  link('eth1.5', up, 1400),
  link('lte0', up).replace('5:', '7:'),
  `Deleted ${link('eth1.5', 'BROADCAST,MULTICAST')}`,
  '10.0.2.1 dev eth1.5 FAILED ',
  '10.0.2.1 dev eth1.5 lladdr 02:00:00:00:09:09 REACHABLE ',
  'fd02::1 dev eth1.5 lladdr 02:00:00:00:02:01 REACHABLE ',
  'netlink receive error No buffer space available (105)',
];

const QUIET = [
  '512:\tfrom all fwmark 0xc000000/0xff000000 iif lo lookup 7012 proto 118 ',
  '10.0.1.0/24 dev c1 table 7012 proto 118 scope 253 metric 1 ',
  '198.51.100.0/24 via 10.0.1.1 dev c1 ',
  'fe80::/64 dev veth12 proto 2 metric 256 pref medium',
  'Deleted 5 ff00::/8 dev veth12 table 255 proto 2 metric 256 pref medium',
  link('eth1.5', up),
  link('veth12', 'BROADCAST,MULTICAST'),
  link('eth1x5', 'BROADCAST,MULTICAST'),
  '10.0.2.1 dev eth1.5 lladdr 02:00:00:00:02:01 STALE ',
  'fd02::1 dev eth1.5 FAILED ',
  '10.0.2.7 dev eth1.5 FAILED ',
  '110.0.2.1 dev eth1.5 FAILED ',
];

for (const line of LOUD) test(`wakes: ${line}`, (t) => t.true(wakes(line)));
for (const line of QUIET) test(`does not wake: ${line}`, (t) => t.false(wakes(line)));

test('of the firewall only what goes counts, and of iptables only its own tables', (t) => {
  const isLoud = (firewall: Group['firewall'], line: string) => {
    const { loud } = firewallEvents([firewall]);
    return loud !== '' && new RegExp(loud).test(line);
  };
  t.true(isLoud('nft', 'delete table inet via'));
  t.true(isLoud('nft', 'delete rule inet via guard handle 7'));
  t.false(isLoud('nft', 'delete rule inet viaduct guard handle 7'));
  t.false(isLoud('nft', 'delete rule ip mangle OUTPUT handle 7'));
  t.true(isLoud('iptables-nft', 'delete rule ip mangle OUTPUT handle 7'));
  t.false(isLoud('iptables-nft', 'delete table ip docker'));
  t.false(isLoud('iptables-legacy', 'delete table inet via'));
});
