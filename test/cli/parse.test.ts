import test from 'ava';
import fc from 'fast-check';
import { parse } from '../../src/cli/parse.js';
import { isViaError } from '../../src/failure.js';
import type { LaunchOptions, Request } from '../../src/request.js';

const DEFAULTS: LaunchOptions = {
  ipv4: 'refuse',
  ipv6: 'refuse',
  lan: true,
  firewall: 'auto',
  exec: false,
  dryRun: false,
  verbose: false,
  quiet: false,
  notify: false,
  elevate: 'auto',
  user: '',
};

const launch = (gateway: string, command: [string, ...string[]], options: Partial<LaunchOptions> = {}): Request => ({
  word: 'launch',
  gateway,
  command,
  options: { ...DEFAULTS, ...options },
});

// argv, what it asks for
const GOOD: ReadonlyArray<readonly [string[], Request]> = [
  [['10.0.0.1', '--', 'curl', 'example.com'], launch('10.0.0.1', ['curl', 'example.com'])],
  [['10.0.0.1', 'curl', '-v'], launch('10.0.0.1', ['curl', '-v'])],
  [['wg0', '--', '--', 'x'], launch('wg0', ['--', 'x'])],
  [['wg0', '--', '--'], launch('wg0', ['--'])],
  [['wg0', ''], launch('wg0', [''])],
  [['', 'x'], launch('', ['x'])],
  [['-', 'x'], launch('-', ['x'])],
  [['wg0', '-', 'x'], launch('wg0', ['-', 'x'])],
  [['wg0', '--', '-v'], launch('wg0', ['-v'])],
  // options on either side, in every form
  [['-v', 'wg0', 'x', '-v'], launch('wg0', ['x', '-v'], { verbose: true })],
  [['wg0', '-v', 'x'], launch('wg0', ['x'], { verbose: true })],
  [['wg0', '--dry-run', '-v', '--', 'x'], launch('wg0', ['x'], { dryRun: true, verbose: true })],
  [['-vv', 'wg0', 'x'], launch('wg0', ['x'], { verbose: true })],
  [['--ipv6=allow', 'wg0', 'x'], launch('wg0', ['x'], { ipv6: 'allow' })],
  [['--ipv6', 'allow', 'wg0', 'x'], launch('wg0', ['x'], { ipv6: 'allow' })],
  [['wg0', '--ipv4', 'allow', 'x'], launch('wg0', ['x'], { ipv4: 'allow' })],
  [['--no-lan', 'wg0', '--ipv4=allow', 'x'], launch('wg0', ['x'], { lan: false, ipv4: 'allow' })],
  [['--ipv6=allow', 'wg0', '--ipv6=refuse', 'x'], launch('wg0', ['x'])],
  [['--ipv6=refuse', '--ipv6', 'allow', 'wg0', 'x'], launch('wg0', ['x'], { ipv6: 'allow' })],
  // `--` before the gateway: no options and no words behind it
  [['--', '10.0.0.1', 'x'], launch('10.0.0.1', ['x'])],
  [['-v', '--', 'status', 'x'], launch('status', ['x'], { verbose: true })],
  [['--', '10.0.0.1', '-v', 'x'], launch('10.0.0.1', ['-v', 'x'])],
  [['--', '10.0.0.1', '--', 'x'], launch('10.0.0.1', ['x'])],
  [['--', '10.0.0.1', '--', '--', 'x'], launch('10.0.0.1', ['--', 'x'])],
  [['--', '-v', 'x'], launch('-v', ['x'])],
  [['--user', '1000', 'wg0', 'x'], launch('wg0', ['x'], { user: '1000' })],
  [['--user', 'ada.b@example.com', 'wg0', 'x'], launch('wg0', ['x'], { user: 'ada.b@example.com' })],
  [['none', '--user', 'ada', 'x'], { word: 'none', command: ['x'], options: { ...DEFAULTS, user: 'ada' } }],
  [['none', '10.0.0.1'], { word: 'none', command: ['10.0.0.1'], options: DEFAULTS }],
  [['%status', 'x'], launch('%status', ['x'])],
  [['constructor', '__proto__'], launch('constructor', ['__proto__'])],
  // words
  [['run', 'wg0', 'x'], launch('wg0', ['x'])],
  [
    ['-v', 'run', '--no-lan', 'wg0', '--dry-run', 'x'],
    launch('wg0', ['x'], { verbose: true, lan: false, dryRun: true }),
  ],
  [['run', 'status', '--', 'x'], launch('status', ['x'])],
  [['run', '--', 'none', '--', 'x'], launch('none', ['x'])],
  [['none', '--', 'x', '-v'], { word: 'none', command: ['x', '-v'], options: DEFAULTS }],
  [['none', '-v', 'x'], { word: 'none', command: ['x'], options: { ...DEFAULTS, verbose: true } }],
  [['none', '--', '--'], { word: 'none', command: ['--'], options: DEFAULTS }],
  [['status'], { word: 'status', self: false, json: false }],
  [['status', '--json'], { word: 'status', self: false, json: true }],
  [['status', 'self'], { word: 'status', self: true, json: false }],
  [['status', '-h'], { word: 'help', topic: 'status' }],
  [['attach', 'wg0', '5'], { word: 'attach', gateway: 'wg0', pids: [5], tree: false, options: DEFAULTS }],
  [
    ['-v', 'attach', '--no-lan', '10.0.0.1', '--tree', '5', '6', '5'],
    {
      word: 'attach',
      gateway: '10.0.0.1',
      pids: [5, 6],
      tree: true,
      options: { ...DEFAULTS, verbose: true, lan: false },
    },
  ],
  [['attach', 'wg0', '5', '--tree'], { word: 'attach', gateway: 'wg0', pids: [5], tree: true, options: DEFAULTS }],
  [['attach', 'wg0', '5', '-V'], { word: 'version' }],
  [['detach', '5', '--help'], { word: 'help', topic: 'detach' }],
  [['detach', '--tree', '5'], { word: 'detach', pids: [5], tree: true, options: DEFAULTS }],
  [['alias', 'lte=192.168.8.1'], { word: 'alias', pairs: ['lte=192.168.8.1'] }],
  [['alias', '--shell', 'zsh', 'a=b', 'c'], { word: 'alias', pairs: ['a=b', 'c'], shell: 'zsh' }],
  [['alias', 'a=b', '--shell=fish', 'c=d', '--shell=sh'], { word: 'alias', pairs: ['a=b', 'c=d'], shell: 'sh' }],
  [['alias', '--', '-v=b'], { word: 'alias', pairs: ['-v=b'] }],
  [['alias', 'a=b', '-h'], { word: 'help', topic: 'alias' }],
  [['completion'], { word: 'completion' }],
  [['completion', 'bash'], { word: 'completion', shell: 'bash' }],
  [['sweep'], { word: 'sweep', options: DEFAULTS }],
  [['-v', 'sweep', '--dry-run'], { word: 'sweep', options: { ...DEFAULTS, verbose: true, dryRun: true } }],
  [
    ['--no-lan', 'desktop', 'wg0', '--replace', 'firefox', '--elevate=none', '--', 'chromium'],
    {
      word: 'desktop',
      does: 'write',
      words: ['wg0', 'firefox', 'chromium'],
      replace: true,
      options: { ...DEFAULTS, lan: false, elevate: 'none' },
    },
  ],
  [['desktop', '--list'], { word: 'desktop', does: 'list', words: [], replace: false, options: DEFAULTS }],
  [
    ['desktop', 'firefox', '--remove'],
    { word: 'desktop', does: 'remove', words: ['firefox'], replace: false, options: DEFAULTS },
  ],
  [['desktop', 'wg0', '-h'], { word: 'help', topic: 'desktop' }],
  [['--notify', '-x', 'wg0', '--', 'x'], launch('wg0', ['x'], { notify: true, exec: true })],
  [['help'], { word: 'help' }],
  [['help', 'sweep'], { word: 'help', topic: 'sweep' }],
  [['version'], { word: 'version' }],
  // what ends the reading, wherever it stands
  [['-h'], { word: 'help' }],
  [['--help', '--bogus'], { word: 'help' }],
  [['wg0', '--help'], { word: 'help' }],
  [['sweep', '-h'], { word: 'help', topic: 'sweep' }],
  [['run', 'wg0', '-h'], { word: 'help' }],
  [['-V'], { word: 'version' }],
  [['-vV'], { word: 'version' }],
  [['-Vh'], { word: 'version' }],
  [['wg0', '--version', 'x'], { word: 'version' }],
  [['none', '-V'], { word: 'version' }],
  [['wg0', 'x', '-h'], launch('wg0', ['x', '-h'])],
];

for (const [argv, request] of GOOD) {
  test(`via ${JSON.stringify(argv)}`, (t) => t.deepEqual(parse(argv), request));
}

const USAGE = 'command: missing (usage: via [options] <gateway> [--] <command> [args...])';
const NONE = 'command: missing (usage: via none [options] [--] <command> [args...])';
const EATEN = (text: string): string =>
  `option --user: "${text}" is a gateway, and not a name (write --user NAME ${text})`;

// argv, the message
const BAD: ReadonlyArray<readonly [string[], string]> = [
  [[], USAGE],
  [['-v'], USAGE],
  [['--'], USAGE],
  [['10.0.0.1'], USAGE],
  [['stauts'], 'command: missing (did you mean via status?)'],
  [['--no-lan', 'desktp'], 'command: missing (did you mean via desktop?)'],
  [['wg0', '-v'], USAGE],
  [['tun'], USAGE],
  [['10.0.0.1', '--'], USAGE],
  [['10.0.0.1', '-v'], USAGE],
  [['--', '10.0.0.1'], USAGE],
  [['run'], USAGE],
  [['run', 'wg0'], USAGE],
  [['none'], NONE],
  [['none', '--'], NONE],
  [['none', '-x'], NONE],
  // An address where a user is named
  [['--user', '10.0.2.1', '--', 'true'], EATEN('10.0.2.1')],
  [['--user', '10.0.2.1%eth1', 'curl', 'x'], EATEN('10.0.2.1%eth1')],
  [['none', '--user=10.0.2.1,fe80::1%eth1', 'x'], EATEN('10.0.2.1,fe80::1%eth1')],
  [['--user', 'fe80::1%eth1', 'x', 'y'], EATEN('fe80::1%eth1')],
  [['--user', '%eth1', 'x', 'y'], EATEN('%eth1')],
  [
    ['--user', 'tun0', '--', 'true'],
    'command: missing (--user took "tun0"; usage: via [options] <gateway> [--] <command> [args...])',
  ],
  [
    ['--user=nobody', 'tun0'],
    'command: missing (--user took "nobody"; usage: via [options] <gateway> [--] <command> [args...])',
  ],
  [['--dryrun', 'wg0', 'x'], 'option "--dryrun": unknown (did you mean --dry-run?)'],
  [['--dryRun', 'wg0', 'x'], 'option "--dryRun": unknown (did you mean --dry-run?)'],
  [['--dry', 'wg0', 'x'], 'option "--dry": unknown (did you mean --dry-run?)'],
  [['--verbos=1', 'wg0', 'x'], 'option "--verbos": unknown (did you mean --verbose?)'],
  [['-verbose', 'wg0', 'x'], 'option "-verbose": unknown (did you mean --verbose?)'],
  [['wg0', '--lan', 'x'], 'option "--lan": unknown (did you mean --no-lan?)'],
  [['--no-ipv6', 'wg0', 'x'], 'option "--no-ipv6": unknown (did you mean --ipv6?)'],
  [['--ip6=allow', 'wg0', 'x'], 'option "--ip6": unknown (did you mean --ipv6?)'],
  [['--frobnicate', 'wg0', 'x'], 'option "--frobnicate": unknown (see via --help)'],
  [['-z', 'wg0', 'x'], 'option "-z": unknown (see via --help)'],
  [['-vz', 'wg0', 'x'], 'option "-vz": unknown (see via --help)'],
  [['-5', 'x'], 'option "-5": unknown (see via --help)'],
  [['---', 'x'], 'option "---": unknown (see via --help)'],
  [['--=', 'x'], 'option "--": unknown (see via --help)'],
  [['--constructor', 'x'], 'option "--constructor": unknown (see via --help)'],
  [['--__proto__', 'x'], 'option "--__proto__": unknown (see via --help)'],
  [['--\u001b[2J\n', 'x'], 'option "--\\x1b[2J\\x0a": unknown (see via --help)'],
  [['--ipv4'], 'option --ipv4: value missing (refuse or allow)'],
  [['--ipv4=', 'wg0', 'x'], 'option --ipv4: value missing (refuse or allow)'],
  [['--ipv4', '--no-lan', 'wg0', 'x'], 'option --ipv4: "--no-lan" is no value of it (refuse or allow)'],
  [['--ipv4=-v', 'wg0', 'x'], 'option --ipv4: "-v" is no value of it (refuse or allow)'],
  [['--ipv4', 'wg0', 'x'], 'option --ipv4: "wg0" is no value of it (refuse or allow)'],
  [['--ipv6=allow=x', 'wg0', 'x'], 'option --ipv6: "allow=x" is no value of it (refuse or allow)'],
  [['--ipv6=toString', 'wg0', 'x'], 'option --ipv6: "toString" is no value of it (refuse or allow)'],
  [['--dry-run=false', 'wg0', 'x'], 'option --dry-run: takes no value'],
  [['--help=x'], 'option --help: takes no value'],
  [['--no-lan', 'none', 'x'], 'option --no-lan: goes with a gateway, not with none'],
  [['keep', '--dry-run'], 'option --dry-run: does not go with keep (see via help keep)'],
  [['-x', 'keep'], 'option --exec: does not go with keep (see via help keep)'],
  [['sweep', '--ipv6=allow'], 'option --ipv6: goes with a gateway, not with sweep'],
  [['status', 'x'], 'status "x": one word too many (see via help status)'],
  [['status', 'self', 'x'], 'status "x": one word too many (see via help status)'],
  [['status', 'self', '--json'], 'status "--json": one word too many (see via help status)'],
  [['-v', 'status'], 'option --verbose: does not go with status (see via help status)'],
  [['--json', 'status'], 'option "--json": unknown (see via --help)'],
  [['status', '--jsn'], 'option "--jsn": unknown (did you mean --json?)'],
  [['attach'], 'gateway: missing (usage: via attach [options] <gateway> [--tree] <pid>...)'],
  [['attach', 'wg0'], 'process: missing (usage: via attach [options] <gateway> [--tree] <pid>...)'],
  // A bare number is no gateway
  [['attach', '1'], 'gateway: missing (usage: via attach [options] <gateway> [--tree] <pid>...)'],
  [['attach', '4711', '--tree', '4712'], 'gateway: missing (usage: via attach [options] <gateway> [--tree] <pid>...)'],
  [['attach', 'wg0', '0'], 'process "0": no process id (usage: via attach [options] <gateway> [--tree] <pid>...)'],
  [['attach', '-x', 'wg0', '5'], 'option --exec: does not go with attach (see via help attach)'],
  [['attach', 'wg0', '--dry-run', '5'], 'option --dry-run: does not go with attach (see via help attach)'],
  [['attach', '--user', 'nobody', 'wg0', '5'], 'option --user: does not go with attach (see via help attach)'],
  [['--user=nobody', 'attach', 'wg0', '5'], 'option --user: does not go with attach (see via help attach)'],
  [['detach', '5', '--user', 'nobody'], 'option --user: does not go with detach (see via help detach)'],
  [['detach'], 'process: missing (usage: via detach [-v] [--tree] <pid>...)'],
  [['detach', '--no-lan', '5'], 'option --no-lan: goes with a gateway, not with detach'],
  [['alias'], 'name: missing (usage: via alias [--shell bash|zsh|fish|sh] <name>=<gateway>...)'],
  [['alias', '--shell=csh', 'a=b'], 'option --shell: "csh" is no value of it (bash or zsh or fish or sh)'],
  [['alias', '-v', 'a=b'], 'option --verbose: does not go with alias (see via help alias)'],
  [['alias', 'a=b', '--no-lan'], 'option --no-lan: does not go with alias (see via help alias)'],
  [['--shell=sh', 'alias', 'a=b'], 'option "--shell": unknown (see via --help)'],
  [['completion', 'bash', 'zsh'], 'completion "zsh": one word too many (see via help completion)'],
  [['completion', '-v'], 'option --verbose: does not go with completion (see via help completion)'],
  [['sweep', '--', 'x'], 'sweep "x": one word too many (see via help sweep)'],
  [['version', 'x'], 'version "x": one word too many (see via help version)'],
  [['help', 'sweep', 'x'], 'help "x": one word too many (see via help help)'],
  [['help', 'swep'], 'help "swep": no such word (did you mean sweep?)'],
  [
    ['help', '10.0.0.1'],
    'help "10.0.0.1": no such word (words: run none status attach detach alias completion desktop sweep keep help version)',
  ],
  [
    ['help', 'check'],
    'word "check": not in this version (words: run none status attach detach alias completion desktop sweep keep help version; a device of that name is %check)',
  ],
  [
    ['check'],
    'word "check": not in this version (words: run none status attach detach alias completion desktop sweep keep help version; a device of that name is %check)',
  ],
  [
    ['-v', 'up', '--pid', '5'],
    'word "up": not in this version (words: run none status attach detach alias completion desktop sweep keep help version; a device of that name is %up)',
  ],
  [
    ['self', 'x'],
    'word "self": not in this version (words: run none status attach detach alias completion desktop sweep keep help version; a device of that name is %self)',
  ],
];

for (const [argv, message] of BAD) {
  test(`refused: via ${JSON.stringify(argv)}`, (t) => {
    const error = t.throws(() => parse(argv), { name: 'ViaError', message });
    t.true(isViaError(error) && error.status === 125);
  });
}

const AWKWARD = [
  'a b',
  '',
  '*',
  '--',
  '1.10',
  '0x10',
  '--constructor',
  '-v',
  '--help',
  '=',
  '\n',
  '$(id)',
  '__proto__',
];
const word = fc.oneof(fc.constantFrom(...AWKWARD), fc.string({ unit: 'binary' }));

test("the command's words are passed on as they are", (t) => {
  t.deepEqual(parse(['wg0', '--', 'x', ...AWKWARD]), launch('wg0', ['x', ...AWKWARD]));
  fc.assert(
    fc.property(word, fc.array(word), fc.boolean(), (name, args, first) => {
      const argv = first ? ['--', 'wg0', '--', name, ...args] : ['wg0', '--', name, ...args];
      t.deepEqual(parse(argv), launch('wg0', [name, ...args]));
    }),
  );
});

test('whatever argv holds, the answer is a request or a ViaError of one line', (t) => {
  const part = fc.constantFrom(
    '--',
    '-',
    '-v',
    '--ipv4',
    '--ipv4=',
    'allow',
    'run',
    'none',
    'sweep',
    'help',
    '--no-lan',
    'wg0',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, word), { maxLength: 8 }), (argv) => {
      const before = [...argv];
      try {
        parse(argv);
      } catch (error) {
        // eslint-disable-next-line no-control-regex -- none may be left
        if (!isViaError(error) || /[\u0000-\u001f\u007f-\u009f]/.test(error.message)) throw error;
      }
      t.deepEqual(argv, before);
    }),
    { numRuns: 3000 },
  );
});
