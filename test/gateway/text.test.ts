import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { isViaError } from '../../src/failure.js';
import { formatGateway, type GatewayText, isSafeDeviceName, parseGateway } from '../../src/gateway/text.js';

// text, canonical text
const GOOD: ReadonlyArray<readonly [string, string]> = [
  ['10.0.0.1', '10.0.0.1'],
  ['0.0.0.1', '0.0.0.1'],
  ['240.0.0.1', '240.0.0.1'],
  ['169.254.1.1', '169.254.1.1'],
  ['10.0.0.1%eth1', '10.0.0.1%eth1'],
  ['fe80::1%eth1', 'fe80::1%eth1'],
  ['FE80:0:0:0:0:0:0:1%br-lan.7', 'fe80::1%br-lan.7'],
  ['2001:db8::1', '2001:db8::1'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:db8::1%wg0', '2001:db8::1%wg0'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['ff0::1', 'ff0::1'],
  ['fe8::1', 'fe8::1'],
  ['fec0::1', 'fec0::1'],
  ['10.0.0.1,2001:db8::1', '10.0.0.1,2001:db8::1'],
  ['fe80::1%eth1,10.0.0.1', '10.0.0.1,fe80::1%eth1'],
  ['10.0.0.1%eth0,fe80::1%eth1', '10.0.0.1%eth0,fe80::1%eth1'],
  ['wg0', '%wg0'],
  ['%eth1', '%eth1'],
  ['%10.0.0.1', '%10.0.0.1'],
  ['%status', '%status'],
  ['eth0.100', '%eth0.100'],
  ['_x', '%_x'],
  ['abcdefghijklmno', '%abcdefghijklmno'],
];

for (const [text, canonical] of GOOD) {
  test(`${text} is ${canonical}`, (t) => {
    const gateway = parseGateway(text);
    t.is(formatGateway(gateway), canonical);
    t.deepEqual(parseGateway(canonical), gateway);
  });
}

test('parts of a pair keep their family', (t) => {
  t.deepEqual(parseGateway('FE80::1%eth1,10.0.0.1%eth0'), {
    kind: 'addresses',
    v4: { address: '10.0.0.1', device: 'eth0' },
    v6: { address: 'fe80::1', device: 'eth1' },
  });
  t.deepEqual(parseGateway('wg0'), { kind: 'device', device: 'wg0' });
});

// what is wrong, texts
const BAD: ReadonlyArray<readonly [RegExp, ...string[]]> = [
  [/: empty \(/, ''],
  [/: not an IPv4 address \(four numbers/, '10.0.0.256', '10.0.1', '010.0.0.1', '1.2.3.4.5', '10.0.0.1.', '5', '.'],
  [/: a network, not an address \(leave out the \/\)$/, '1.2.3.4/24', 'fe80::/64'],
  [/: a URL, not an address \(/, 'http://10.0.0.1', 'http://'],
  [/: not an IPv6 address$/, 'eth0:1', ':::', '1:2:3:4:5:6:7:8:9', 'fe80::g', '::1.2.3.04', '12345::', '10.0.0.1 :1'],
  [/: a gateway has no port and no brackets$/, '10.0.0.1:80', '[fe80::1]:80', '[::1]'],
  [/: nothing on one side of the comma$/, '10.0.0.1,', ',10.0.0.1', ','],
  [/: more than two parts \(/, '10.0.0.1,fe80::1%e,10.0.0.2', ',,'],
  [/: two IPv4 addresses \(/, '10.0.0.1,10.0.0.2', '10.0.0.1%a,10.0.0.1%b'],
  [/: two IPv6 addresses \(/, 'fe80::1%a,fe80::1%b'],
  [
    /: a device cannot be half of a pair \(use it alone, or <address>%wg0\)$/,
    '10.0.0.1,wg0',
    '%wg0,10.0.0.1',
    'wg0,wg0',
  ],
  [/: a link-local address needs its device \(fe80::1%<device>\)$/, 'fe80::1', 'FE80::01', '10.0.0.1,fe80::1'],
  [/: a link-local address needs its device/, 'febf::1'],
  [/: the unspecified address/, '0.0.0.0', '::', '::0', '0::%eth1', '0.0.0.0%eth1'],
  [/: a loopback address/, '127.0.0.1', '127.8.9.1', '::1', '0:0::1'],
  [/: a multicast address/, '224.0.0.1', '239.255.255.255', 'ff02::1', 'ff02::1%eth1'],
  [/: the broadcast address/, '255.255.255.255'],
  [/: an IPv4 address written as IPv6 \(write 10\.0\.0\.1\)$/, '::ffff:10.0.0.1', '::ffff:a00:1', '::10.0.0.1'],
  [/: no device after %$/, '%', '10.0.0.1%', 'fe80::1%'],
  [/: the text before % is not an address$/, 'wg0%eth1', '10.0.1%eth1', 'a%'],
  [/: neither an address nor a device name via takes \(/, '-x', '.a', 'all', 'default', '%all', 'abcdefghijklmnop'],
  [/: neither an address nor a device name via takes \(/, 'a";drop;{', '$(id)', 'eth*', 'é', ' 10.0.0.1', '10.0.0.1%%'],
  [/^gateway "a\\x0ab": neither/, 'a\nb'],
  [/^gateway "\\x1b\[2J": neither/, '\u001b[2J'],
];

for (const [why, ...texts] of BAD) {
  for (const text of texts) {
    test(`refused: ${JSON.stringify(text)} ${why}`, (t) => {
      const error = t.throws(() => parseGateway(text), { name: 'ViaError', message: why });
      t.true(isViaError(error) && error.status === 125);
      t.false(error!.message.includes('\n'));
    });
  }
}

test('every message is one text only', (t) => {
  const texts = [
    '',
    '10.0.1',
    '1.2.3.4/24',
    'http://',
    '10.0.0.1,',
    ',,',
    '10.0.0.1,wg0',
    'fe80::1',
    '::',
    '::1',
    'ff02::1',
  ];
  const messages = texts.map((text) => t.throws(() => parseGateway(text))!.message.replace(/^gateway ".*?": /, ''));
  t.is(new Set(messages).size, texts.length);
});

const device = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/).filter(isSafeDeviceName);
const withDevice = (address: fc.Arbitrary<string>) =>
  fc.record({ address, device }, { requiredKeys: ['address'], noNullPrototype: true });
const v4 = withDevice(fc.ipV4().filter((ip) => !/^(0|127|22[4-9]|23\d|255)\./.test(ip)));
const canonicalV6 = fc.ipV6().map((address) => new SocketAddress({ address, family: 'ipv6' }).address);
const v6 = withDevice(canonicalV6.filter((ip) => !/^::|^fe[89ab]|^ff/.test(ip)));
const gateways: fc.Arbitrary<GatewayText> = fc.oneof(
  fc.record({ kind: fc.constant('device' as const), device }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('addresses' as const), v4 }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('addresses' as const), v6 }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('addresses' as const), v4, v6 }, { noNullPrototype: true }),
);

test('parse(format(gateway)) is the gateway', (t) => {
  fc.assert(fc.property(gateways, (gateway) => t.deepEqual(parseGateway(formatGateway(gateway)), gateway)));
  t.pass();
});

test('what is an address agrees with node:net, and so does its text', (t) => {
  const pieces = fc.constantFrom(
    '0',
    '1',
    '10',
    '255',
    '256',
    '01',
    'fe80',
    'FFFF',
    'db8',
    '12345',
    ':',
    '::',
    '.',
    'g',
  );
  const texts = fc.oneof(
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.array(pieces, { maxLength: 16 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let gateway: GatewayText | string;
      try {
        gateway = parseGateway(`${text}%e`); // with a device, link-local addresses pass
      } catch (error) {
        gateway = (error as Error).message;
      }
      if (typeof gateway === 'string') {
        const known = /unspecified|loopback|multicast|broadcast|written as IPv6/.test(gateway);
        return known === (isIPv4(text) || isIPv6(text));
      }
      if (gateway.kind === 'device') return text === ''; // `%e`
      if (gateway.v4) return isIPv4(text) && gateway.v4.address === text;
      return gateway.v6!.address === new SocketAddress({ address: text, family: 'ipv6' }).address;
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

test('hostile text: a ViaError of one line, or names that are on the list', (t) => {
  const spice = fc.constantFrom(
    '%',
    ',',
    ':',
    '::',
    '"',
    ';',
    '{',
    '$(id)',
    '\n',
    '-',
    '/',
    '10.0.0.1',
    'fe80::1',
    'wg0',
    ' ',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc
      .array(fc.oneof(spice, fc.string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 6 })
      .map((all) => all.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const gateway = parseGateway(text);
        const names = gateway.kind === 'device' ? [gateway.device] : [gateway.v4?.device, gateway.v6?.device];
        return names.every((name) => name === undefined || /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name));
      } catch (error) {
        // eslint-disable-next-line no-control-regex -- none may be left
        return isViaError(error) && !/[\u0000-\u001f\u007f-\u009f]/.test(error.message);
      }
    }),
    { numRuns: 10_000 },
  );
  t.pass();
});
