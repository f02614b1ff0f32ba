import test from 'ava';
import fc from 'fast-check';
import { callerOf } from '../../src/elevate/asker.js';
import {
  documentText,
  LONGEST,
  MOST as MOST_AT_ONCE,
  pidsText,
  readDocument,
  readPids,
  type Document,
} from '../../src/elevate/document.js';
import { chooseElevator } from '../../src/elevate/elevators.js';
import { refuseObstacles } from '../../src/elevate/obstacles.js';
import { ownName } from '../../src/elevate/own.js';
import { allowFor, MOST } from '../../src/elevate/quota.js';
import { isViaError } from '../../src/failure.js';

const good: Document = {
  pid: 4242,
  start: '123456',
  word: 'launch',
  gateway: '10.0.2.1',
  ipv4: 'refuse',
  ipv6: 'refuse',
  lan: true,
  firewall: 'auto',
  verbose: false,
  pids: '',
  tree: false,
};
const text = documentText(good).trimEnd();
/** What moves others. */
const others = text.replace('launch', 'attach').replace('"pids":""', '"pids":"4243:1 4244:2"');
const withGateway = (gateway: string): string => documentText({ ...good, gateway }).trimEnd();

test('a right document is read as it was written, the gateway in its one text', (t) => {
  t.deepEqual(readDocument(text), good);
  t.is(readDocument(withGateway('tun0')).gateway, '%tun0');
  t.is(readDocument(withGateway('FE80::1%eth1,10.0.0.1')).gateway, '10.0.0.1,fe80::1%eth1');
});

test('others are named by their numbers and the moments of their starts', (t) => {
  const all = Array.from({ length: MOST_AT_ONCE }, (_, n) => ({ pid: 4194304 - n, start: '9'.repeat(12) }));
  const document = { ...good, word: 'attach', tree: true, pids: pidsText(all) } as const;
  t.deepEqual(readPids(readDocument(documentText(document).trimEnd()).pids), all);
  t.throws(() => pidsText([...all, all[0]!]), {
    message: /^process: 301 are too many at once \(at most 300, or --tree\)$/,
  });
});

/** What is no document, by what is wrong with it. */
const hostile: Record<string, string> = {
  empty: '',
  'no object': '[]',
  null: 'null',
  'nothing in it': '{}',
  'cut off': text.slice(0, -10),
  'goes on': `${text}{}`,
  'two of them': `${text}${text}`,
  'blanks around': ` ${text} `,
  'a key twice': text.replace('{', '{"pid":1,'),
  'the same key twice, written otherwise': text.replace('{', '{"p\\u0069d":1,'),
  'a key too many': text.replace('{', '{"uid":0,'),
  __proto__: text.replace('{', '{"__proto__":{"pid":1},'),
  constructor: text.replace('{', '{"constructor":1,'),
  'none with a gateway': text.replace('launch', 'none'),
  'a launch with others': text.replace('"pids":""', '"pids":"4242:1"'),
  'a launch with all that was started': text.replace('"tree":false', '"tree":true'),
  'others, and nobody named': text.replace('launch', 'attach'),
  'out, with a gateway': others.replace('attach', 'detach'),
  'a process without its start': others.replace(':1', ''),
  'a path for a process': others.replace('4243', '../1'),
  'a list of processes': others.replace('"4243:1 4244:2"', '[4243]'),
  'a comma between processes': others.replace(' ', ','),
  'too many processes': others.replace(
    '4243:1',
    Array.from({ length: MOST_AT_ONCE }, (_, n) => `${n + 2}:1`).join(' '),
  ),
  'another word': text.replace('launch', 'sweep'),
  'a key too few': text.replace('"lan":true,', ''),
  huge: text.replace('10.0.2.1', '1'.repeat(10_000_000)),
  'a little too long': text.replace('10.0.2.1', '1'.repeat(LONGEST)),
  deep: text.replace('true', '['.repeat(400) + ']'.repeat(400)),
  'deeper than a stack': `{"pid":${'['.repeat(500_000)}`,
  nested: text.replace('"10.0.2.1"', '{"a":"10.0.2.1"}'),
  'a list': text.replace('"10.0.2.1"', '["10.0.2.1"]'),
  'a float': text.replace('4242', '4242.5'),
  'an exponent': text.replace('4242', '4e3'),
  'a number with a zero ahead': text.replace('4242', '04242'),
  negative: text.replace('4242', '-4242'),
  'process 0': text.replace('4242', '0'),
  'process 1': text.replace('4242', '1'),
  'a number too large': text.replace('4242', '9999999'),
  'a number as text': text.replace('4242', '"4242"'),
  'another start': text.replace('"123456"', '"12 34"'),
  'a path for a start': text.replace('"123456"', '"../x"'),
  'no such choice': text.replace('"auto"', '"auto; reboot"'),
  'not a boolean': text.replace('true', '1'),
  'a newline in it': text.replace('10.0.2.1', '10.0.2.1\n'),
  'a NUL in it': text.replace('10.0.2.1', '10.0.2.1\0'),
  'an escape that is none': text.replace('10.0.2.1', '\\x41'),
  'a comment': text.replace('{', '{/**/'),
};

for (const [what, line] of Object.entries(hostile))
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => readDocument(line));
    t.true(isViaError(error) && /^set-up document: .{1,80}$/.test(error.message), error?.message);
  });

/** Pieces of what nft, a shell and JSON would take for more than a name. */
const piece = fc.oneof(
  fc.constantFrom(
    '"',
    "'",
    ';',
    '{',
    '}',
    '$(id)',
    '`id`',
    '|',
    '&',
    '\n',
    '\0',
    '\\',
    '/',
    '..',
    '%',
    ',',
    ':',
    ' ',
    '\t',
    '#',
    '*',
    'add table inet x',
    'flush ruleset',
    'goto',
    '10.0.2.1',
    'fe80::1',
    'eth0',
    '-x',
    '--',
    '=',
    '\u202e',
    '\ud800',
    'é',
    'a";drop;{',
    '<<END',
    'END-OF-INPUT',
    '\u2028',
    '__proto__',
    '10.0.2.1/24',
    '[::1]',
    '0x0a',
    'all',
    'default',
    'lo',
  ),
  fc.string({ maxLength: 6 }),
);

test('10,000 gateways with the syntax of nft, shells and JSON: refused, or a text that means nothing to them', (t) => {
  const texts = fc.sample(
    fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
    10_000,
  );
  let taken = 0;
  for (const gateway of texts) {
    try {
      const { gateway: read } = readDocument(withGateway(gateway));
      t.regex(read, /^%[\w][\w.-]{0,14}$|^[\da-f.:]+(%[\w][\w.-]{0,14})?(,[\da-f:.]+(%[\w][\w.-]{0,14})?)?$/);
      taken += 1;
    } catch (error) {
      t.true(isViaError(error), String(error));
      t.regex((error as Error).message, /^[^\n\0]*$/);
    }
  }
  t.log(`${taken} taken`);
  t.true(taken > 100 && taken < 9000);
});

test('any text is a document or a ViaError, quickly', (t) => {
  const began = performance.now();
  const mutated = fc.tuple(fc.nat(text.length), fc.string({ maxLength: 4 }), fc.nat(5));
  for (const [at, more, less] of fc.sample(mutated, 10_000)) {
    const line = text.slice(0, at) + more + text.slice(at + less);
    try {
      readDocument(line);
    } catch (error) {
      t.true(isViaError(error), line);
    }
  }
  t.true(performance.now() - began < 10_000);
});

test('who asks is whom sudo names, else pkexec; never root', (t) => {
  t.is(callerOf({ SUDO_UID: '1000' }), 1000);
  t.is(callerOf({ PKEXEC_UID: '1000' }), 1000);
  t.is(callerOf({ SUDO_UID: '1001', PKEXEC_UID: '1000' }), 1001);
  for (const uid of ['0', '', '-1', '4294967295', '99999999999', '1000x', '0x10', ' 1', '1e3', '00'])
    t.throws(() => callerOf({ SUDO_UID: uid }), { name: 'ViaError' }, uid);
  t.throws(() => callerOf({}), { name: 'ViaError' });
});

test('the name of a user’s own group differs by all that is asked for, and is one of a directory', (t) => {
  const { gateway, ipv4, ipv6, lan, firewall } = good;
  const wanted = { gateway, ipv4, ipv6, lan, firewall };
  const names = [
    ownName(1000, wanted, 'net:[1]'),
    ownName(1001, wanted, 'net:[1]'),
    ownName(1000, wanted, 'net:[2]'),
    ownName(1000, { ...wanted, gateway: '10.0.2.2' }, 'net:[1]'),
    ownName(1000, { ...wanted, lan: false }, 'net:[1]'),
    ownName(1000, { ...wanted, ipv6: 'allow' }, 'net:[1]'),
    ownName(1000, { ...wanted, ipv4: 'allow' }, 'net:[1]'),
    ownName(1000, { ...wanted, firewall: 'nft' }, 'net:[1]'),
  ];
  t.is(new Set(names).size, names.length);
  for (const name of names) t.regex(name, /^u\d+-[\da-f]{32}$/);
});

test('10,000 groups asked for: sixteen are made', (t) => {
  const cgroups: { uuid: string; path: string; classId: number; members: number[] }[] = [];
  const groups = new Map<string, never>();
  const allow = allowFor(1000);
  let made = 0;
  for (let n = 0; n < 10_000; n++) {
    try {
      allow({ cgroups, groups: [], records: { groups } as never });
      cgroups.push({ uuid: `${n}`, path: '', classId: 1, members: [1] });
      groups.set(`${n}`, { record: { owner: 1000 }, text: '' } as never);
      made += 1;
    } catch (error) {
      t.true(isViaError(error));
    }
  }
  t.is(made, MOST);
  t.notThrows(() => allowFor(1001)({ cgroups, groups: [], records: { groups } as never }));
});

test('who is asked', (t) => {
  const choose = (
    choice: 'auto' | 'sudo' | 'pkexec',
    hasTerminal: boolean,
    isGraphical: boolean,
    ...installed: string[]
  ) => {
    const find = (name: string): string | undefined => (installed.includes(name) ? `/usr/bin/${name}` : undefined);
    return chooseElevator(choice, { hasTerminal, isGraphical, find }).argv.join(' ');
  };
  t.is(choose('auto', true, false, 'sudo', 'pkexec'), '/usr/bin/sudo --');
  t.is(choose('auto', true, true, 'sudo', 'pkexec'), '/usr/bin/sudo --');
  t.is(choose('auto', false, true, 'sudo', 'pkexec'), '/usr/bin/pkexec');
  t.is(choose('auto', false, true, 'sudo'), '/usr/bin/sudo -n --');
  t.is(choose('auto', false, false, 'sudo', 'pkexec'), '/usr/bin/sudo -n --');
  t.is(choose('sudo', false, true, 'sudo', 'pkexec'), '/usr/bin/sudo -n --');
  t.is(choose('pkexec', true, false, 'sudo', 'pkexec'), '/usr/bin/pkexec');
  t.throws(() => choose('auto', false, false), {
    message: /^elevation: not installed \(install sudo, or run via as root\)$/,
  });
  t.throws(() => choose('pkexec', false, false, 'sudo'), { message: /^elevation pkexec: not installed/ });
});

test('where no root can come of asking', (t) => {
  const status = 'NoNewPrivs:\t0\nCapBnd:\t000001ffffffffff\n';
  const all = '         0          0 4294967295\n';
  t.notThrows(() => refuseObstacles(['/bin/sh'], status, all));
  t.throws(() => refuseObstacles([], status.replace('Privs:\t0', 'Privs:\t1'), all), { message: /no_new_privs/ });
  t.throws(() => refuseObstacles([], status, '0 1000 1\n'), { message: /in a user namespace/ });
  t.throws(() => refuseObstacles([], status, ''), { message: /in a user namespace/ });
  t.throws(() => refuseObstacles([], status.replace('1ffffffffff', '00000000000'), all), { message: /CAP_NET_ADMIN/ });
  t.throws(() => refuseObstacles(['/nowhere/at/all'], status, all), { message: /not there/ });
});
