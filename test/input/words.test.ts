import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { viaBin } from '../helpers/paths.js';
import { refuses, refuseAll } from '../helpers/refused.js';

const run = ['--', 'echo', 'ran'];

/** A gateway, and what via says of it. */
const gateways: [string, RegExp][] = [
  ['', /^via: gateway "": empty \(/m],
  ['10.0.2', /^via: gateway "10.0.2": not an IPv4 address \(/m],
  ['10.0.2.256', /^via: gateway "10.0.2.256": not an IPv4 address \(/m],
  ['010.0.2.1', /^via: gateway "010.0.2.1": not an IPv4 address \(.*without leading zeros/m],
  ['10.0.2.1/24', /^via: gateway "10.0.2.1\/24": a network, not an address/m],
  ['10.0.2.1:80', /^via: gateway "10.0.2.1:80": a gateway has no port/m],
  ['[fd02::1]', /^via: gateway "\[fd02::1\]": a gateway has no port and no brackets/m],
  ['fd02:::1', /^via: gateway "fd02:::1": not an IPv6 address/m],
  ['http://10.0.2.1', /^via: gateway "http:\/\/10.0.2.1": a URL, not an address/m],
  ['10.0.2.1,', /^via: gateway "10.0.2.1,": nothing on one side of the comma/m],
  ['10.0.2.1,10.0.1.1', /^via: gateway "10.0.2.1,10.0.1.1": two IPv4 addresses \(at most one of each family\)/m],
  ['fd02::1,fd01::1', /^via: gateway "fd02::1,fd01::1": two IPv6 addresses/m],
  ['10.0.2.1,fd02::1,10.0.1.1', /^via: gateway ".*": more than two parts/m],
  ['10.0.2.1,c2', /^via: gateway "10.0.2.1,c2": a device cannot be half of a pair/m],
  ['fe80::2:1', /^via: gateway "fe80::2:1": a link-local address needs its device \(fe80::2:1%<device>\)/m],
  ['fe80::2:1%', /^via: gateway "fe80::2:1%": no device after %/m],
  ['127.0.0.1', /^via: gateway "127.0.0.1": a loopback address is this machine/m],
  ['0.0.0.0', /^via: gateway "0.0.0.0": the unspecified address/m],
  ['224.0.0.1', /^via: gateway "224.0.0.1": a multicast address/m],
  ['255.255.255.255', /^via: gateway "255.255.255.255": the broadcast address/m],
  ['::ffff:10.0.2.1', /^via: gateway "::ffff:10.0.2.1": an IPv4 address written as IPv6 \(write 10.0.2.1\)/m],
  ['10.0.2.1\n', /^via: gateway "10\.0\.2\.1\\x0a": /m],
  ['10.0.2.1\necho', /^via: gateway "10\.0\.2\.1\\x0aecho": /m],
  ['\u001b[31m10.0.2.1', /^via: gateway "\\x1b\[31m10\.0\.2\.1": /m],
  ['10.0.2.1"', /^via: gateway "10\.0\.2\.1"": /m],
  ['10.0.2.1;', /^via: gateway "10\.0\.2\.1;": /m],
  ['c2"; drop; #', /^via: gateway "c2"; drop; #": neither an address nor a device name/m],
  ['10.0.2.1%c2"; }', /^via: gateway "10\.0\.2\.1%c2"; }": neither an address nor a device name/m],
  ['$(id)', /^via: gateway "\$\(id\)": neither an address nor a device name/m],
  ['%../c2', /^via: gateway "%..\/c2": neither an address nor a device name/m],
  ['%..', /^via: gateway "%..": neither an address nor a device name/m],
  ['%all', /^via: gateway "%all": neither an address nor a device name/m],
  ['a-name-that-is-too-long', /^via: gateway "a-name-that-is-too-long": neither an address nor a device name/m],
  ['eth7', /^via: device "eth7": unknown \(a gateway is an address or one of c[12], c[12]\)$/m],
  ['10.0.2.1%eth7', /^via: device "eth7": unknown/m],
  ['lo', /^via: device lo: leads nowhere/m],
  ['c2', /^via: device c2: no default route is known on it \(/m],
  ['10.0.9.1', /^via: gateway 10.0.9.1: not on-link \(routes know 10.0.1.1%c1/m],
  ['10.0.2.1%c1', /^via: gateway 10.0.2.1: not on-link on c1 \(it is on c2\)$/m],
  ['fd02::1%c1', /^via: gateway fd02::1: not on-link on c1 \(it is on c2\)$/m],
  ['10.0.9.1%c1', /^via: gateway 10.0.9.1: not on-link on c1 \(routes know 10.0.1.1%c1/m],
  ['fd09::1', /^via: gateway fd09::1: not on-link/m],
  ['203.0.113.10', /^via: gateway 203.0.113.10: not on-link/m],
  ['10.0.2.2', /^via: gateway 10.0.2.2: one of this machine's own addresses/m],
  ['fd02::2', /^via: gateway fd02::2: one of this machine's own addresses/m],
  ['fe80::2:2%c2', /^via: gateway fe80::2:2: one of this machine's own addresses/m],
  ['10.0.2.255', /^via: gateway 10.0.2.255: a network's own address/m],
  ['10.0.2.1,fd02::2', /^via: gateway fd02::2: one of this machine's own addresses/m],
];

test.serial('a gateway that is none', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await refuseAll(
    t,
    lab,
    gateways.map(([gateway, line]) => [['--', gateway, ...run], line]),
  );
});

const words: [string[], RegExp][] = [
  [[], /^via: command: missing \(usage: via \[options\] <gateway> \[--\] <command> \[args\.\.\.\]\)$/m],
  [['10.0.2.1'], /^via: command: missing/m],
  [['10.0.2.1', '--'], /^via: command: missing/m],
  [['--no-lan', '10.0.2.1'], /^via: command: missing/m],
  [['--no-lam', '10.0.2.1', ...run], /^via: option "--no-lam": unknown \(did you mean --no-lan\?\)$/m],
  [['10.0.2.1', '--dryrun', ...run], /^via: option "--dryrun": unknown \(did you mean --dry-run\?\)$/m],
  [['-z', '10.0.2.1', ...run], /^via: option "-z": unknown/m],
  [['--ipv6', '10.0.2.1', ...run], /^via: option --ipv6: "10.0.2.1" is no value of it \(refuse or allow\)$/m],
  [['--ipv6=maybe', '10.0.2.1', ...run], /^via: option --ipv6: "maybe" is no value of it/m],
  [['10.0.2.1', '--ipv6'], /^via: option --ipv6: value missing/m],
  [['--no-lan=1', '10.0.2.1', ...run], /^via: option --no-lan: takes no value/m],
  [['--constructor', '10.0.2.1', ...run], /^via: option "--constructor": unknown/m],
  [['--\n', '10.0.2.1', ...run], /^via: option "--\\x0a": unknown/m],
  [['stauts', ...run], /^via: device "stauts": unknown \(did you mean via status\? Else a gateway is .*c[12]\)$/m],
  [['run', 'desktp', 'wg0', 'x'], /^via: device "desktp": unknown \(did you mean via desktop\?/m],
  [['doctor'], /^via: word "doctor": not in this version/m],
  [['sweep', 'now'], /^via: sweep "now": one word too many/m],
  [['none'], /^via: command: missing \(usage: via none /m],
  [['--user', '10.0.2.1', ...run], /^via: option --user: "10\.0\.2\.1" is a gateway/m],
  [['attach', '1'], /^via: gateway: missing/m],
  [['none', '--no-lan', ...run], /^via: option --no-lan: goes with a gateway, not with none/m],
  [['help', 'me'], /^via: help "me": no such word/m],
];

test.serial('words that make no sense', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await refuseAll(t, lab, words);
  // A device of that name is what is meant.
  await lab.sh('client', 'ip tuntap add dev stauts mode tun; ip link set stauts up');
  await refuses(t, lab, ['stauts', ...run], /^via: device stauts: no carrier/m);
});

test.serial('none takes no gateway, and says so where the command is not there', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const rows: [words: string[], object: string, hint: boolean][] = [
    [['10.0.2.1', ...run], '10.0.2.1', true],
    [['-x', '10.0.2.1', 'echo', 'ran'], '10.0.2.1', true],
    [['fe80::1%eth1', 'echo', 'ran'], 'fe80::1%eth1', true],
    [['eth1', ...run], 'eth1', true],
    [['no-such-command'], 'no-such-command', false],
  ];
  for (const [words, object, hint] of rows) {
    const { code, stdout, stderr } = await lab.via(['none', ...words]);
    const line = `via: command "${object}": not found${hint ? ' (none takes no gateway)' : ''}\n`;
    t.deepEqual([code, stdout, stderr], [127, '', line]);
  }
  // What there is is run, whatever it is called.
  await lab.sh('client', `mkdir /run/bin; ln -s /bin/echo /run/bin/10.0.2.1`);
  const { stdout } = await lab.run('client', ['sh', '-c', `PATH=$PATH:/run/bin exec ${viaBin} none 10.0.2.1 ran`]);
  t.is(stdout, 'ran\n');
});

test.serial('a device that is down, without carrier, or with two ways to one address', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh('client', 'ip address add 10.0.1.9/24 dev c2');
  await refuses(
    t,
    lab,
    ['10.0.1.1', ...run],
    /^via: gateway 10.0.1.1: on-link on c1 and c2 \(say which: 10.0.1.1%c1 or 10.0.1.1%c2\)$/m,
  );
  await lab.sh('client', 'ip route add default via 10.0.2.1 dev c2 table 77');
  await lab.sh('g2', 'ip link set eth0 down');
  await refuses(t, lab, ['c2', ...run], /^via: device c2: no carrier/m);
  await refuses(t, lab, ['10.0.2.1', ...run], /^via: device c2: no carrier/m);
  await lab.sh('client', 'ip link set c2 down');
  await refuses(t, lab, ['c2', ...run], /^via: device c2: down \(ip link set c2 up\)$/m);
  await refuses(t, lab, ['10.0.2.1%c2', ...run], /^via: device c2: down/m);
  const whole = /^via: gateway 10\.0\.2\.1: c2, which has 10\.0\.2\.2\/24, is down \(ip link set c2 up\)$/m;
  await refuses(t, lab, ['10.0.2.1', ...run], whole);
  await refuses(t, lab, ['10.0.2.1,fd01::1', ...run], whole);
  const other = /^via: gateway 10\.0\.2\.1: not on-link on c1 \(it is on c2, which is down\)$/m;
  await refuses(t, lab, ['10.0.2.1%c1', ...run], other);
  await refuses(t, lab, ['10.0.9.1', ...run], /^via: gateway 10\.0\.9\.1: not on-link \(routes know 10\.0\.1\.1%c1/m);
});
