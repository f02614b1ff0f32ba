import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { diff, snapshot } from '../helpers/snapshot.js';

/** What is typed, and the one line it has to get; with what makes the case and takes it away again. */
interface Row {
  gateway: string;
  line: RegExp;
  before?: string;
  after?: string;
}

const rows: Row[] = [
  { gateway: '10.0.9.1', line: /^via: gateway 10\.0\.9\.1: not on-link \(routes know 10\.0\.1\.1%c1/ },
  { gateway: '10.0.2.1%c1', line: /^via: gateway 10\.0\.2\.1: not on-link on c1 / },
  { gateway: 'fd09::1', line: /^via: gateway fd09::1: not on-link / },
  { gateway: '10.0.2.1,fd09::1', line: /^via: gateway fd09::1: not on-link / },
  { gateway: '10.0.2.2', line: /one of this machine's own addresses/ },
  { gateway: '10.0.1.2%c1', line: /one of this machine's own addresses/ },
  { gateway: 'fd02::2', line: /one of this machine's own addresses/ },
  { gateway: 'fe80::2:2%c2', line: /one of this machine's own addresses/ },
  { gateway: '10.0.2.255', line: /a network's own address/ },
  { gateway: '10.0.4.2', line: /one of this machine's own addresses/ },
  { gateway: 'fd02::', line: /a network's own address/, before: 'sysctl -qw net.ipv6.conf.c2.forwarding=1' },
  { gateway: 'wlan7', line: /^via: device "wlan7": unknown \(a gateway is an address or one of .*c1.*c2.*\)/ },
  { gateway: '10.0.2.1%wlan7', line: /^via: device "wlan7": unknown / },
  { gateway: 'lo', line: /^via: device lo: leads nowhere/ },
  { gateway: 'c2', line: /^via: device c2: no default route is known on it \(name the next hop: <address>%c2\)/ },
  {
    gateway: 'c2',
    line: /^via: device c2: no default route is known on it \(perhaps 10\.0\.2\.9%c2, 10\.0\.2\.1%c2\)/,
    before: 'ip route add 10.9.0.0/16 via 10.0.2.9; ip neigh replace 10.0.2.1 lladdr 02:00:00:00:02:01 dev c2',
    after: 'ip route del 10.9.0.0/16; ip neigh flush dev c2',
  },
  {
    gateway: '10.0.7.1', // The same network on two devices.
    line: /^via: gateway 10\.0\.7\.1: on-link on c1 and c2 \(say which: 10\.0\.7\.1%c1 or 10\.0\.7\.1%c2\)/,
    before: 'ip address add 10.0.7.2/24 dev c1; ip address add 10.0.7.3/24 dev c2',
    after: 'ip address del 10.0.7.2/24 dev c1; ip address del 10.0.7.3/24 dev c2',
  },
  { gateway: '10.0.2.1%c2', line: /^via: device c2: down \(ip link set c2 up\)/, before: 'ip link set c2 down' },
  { gateway: 'c2', line: /^via: device c2: down / },
  { gateway: '10.0.2.1', line: /^via: gateway 10\.0\.2\.1: c2, which has 10\.0\.2\.2\/24, is down / },
  {
    gateway: '10.0.2.1', // The cable is out.
    line: /^via: device c2: no carrier /,
    before: 'ip link set c2 up; nsenter --net=/run/netns/g2 ip link set eth0 down',
  },
];

test.serial('what can be no gateway gets one line and exit 125, and nothing is changed', async (t) => {
  const lab = await makeLab(t, { tun: true, servers: false });
  for (const { gateway, line, before = '', after = '' } of rows) {
    await lab.sh('client', before);
    const clean = await snapshot(lab);
    const { code, stdout, stderr } = await lab.via([gateway, '--', 'echo', 'ran']);
    const what = `${gateway}: ${stderr}`;
    t.deepEqual([code, stdout, stderr.split('\n').length], [125, '', 2], what);
    t.regex(stderr, line, what);
    t.deepEqual(diff(clean, await snapshot(lab)), [], what);
    await lab.sh('client', after);
  }
});
