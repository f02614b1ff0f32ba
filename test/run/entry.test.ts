import test from 'ava';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { run } from '../helpers/exec.js';
import { fixture, python, root, viaBin } from '../helpers/paths.js';
import { bothWays, byVia, outside, probe, under, via, type Settings } from './tools.js';

const PATH: [string, string] = ['PATH', process.env['PATH'] ?? '/usr/bin:/bin'];

test('argv is as given', async (t) => {
  const words = ['a b', '', '*', '--', '-x', '1.10', '0x10', '--constructor', '$HOME', "'", 'é', '😀', '\n', '-'];
  const { by, without } = await bothWays({}, words);
  t.deepEqual(by.argv, without.argv);
  t.deepEqual(by.argv.slice(-words.length), words);
});

test('a word that is not UTF-8 is refused, for the command would get another one', async (t) => {
  const script = `exec "$0" none -- echo a$'\\xff' $'\\xef\\xbf\\xbd'`;
  const { code, stdout, stderr } = await run(['bash', '-c', script, viaBin]);
  t.deepEqual([code, stdout], [125, '']);
  t.regex(stderr, /^via: argument ".*": not UTF-8 \(.*\)\n$/);
  const replacement = await run(['bash', '-c', `exec "$0" none -- echo $'\\xef\\xbf\\xbd'`, viaBin]);
  t.is(replacement.stdout, '\ufffd\n');
});

const environments: Record<string, [string, string][]> = {
  'no more than PATH': [PATH],
  'names a shell does not know': [PATH, ['A.B', '1'], ['BASH_FUNC_x%%', '() { :;\n}'], ['a-b', ''], ['1', '2']],
  'what Node would act on': [
    PATH,
    ['NODE_OPTIONS', '--no-such-option'],
    ['NODE_EXTRA_CA_CERTS', '/nowhere'],
    ['NODE_DEBUG', 'child_process,module'],
    ['NODE_V8_COVERAGE', '/nowhere'],
    ['NODE_CHANNEL_FD', '3'],
    ['NODE_UNIQUE_ID', '1'],
    ['OPENSSL_CONF', '/nowhere'],
    ['NODE_ICU_DATA', '/nowhere'],
    ['NODE_REDIRECT_WARNINGS', '/nowhere/x'],
    ['NODE_PENDING_DEPRECATION', '1'],
  ],
  'set but empty': [PATH, ['NODE_OPTIONS', ''], ['NODE_EXTRA_CA_CERTS', ''], ['EMPTY', '']],
  'a PWD that is wrong': [PATH, ['PWD', '/nowhere'], ['OLDPWD', '/elsewhere'], ['_', 'x'], ['SHLVL', '7']],
  'names the launcher uses': [PATH, ['via_me', '1'], ['via_fd', '2'], ['via_stat', '3'], ['via_soft', '4']],
  'a note by hand': [PATH, ['VIA_LAUNCHER', '9 1024 4096 1 1 (x) y']],
  'names of JavaScript': [PATH, ['__proto__', '1'], ['constructor', '2'], ['toString', '3']],
  'much of it': [PATH, ...Array.from({ length: 9 }, (_, n): [string, string] => [`N${n}`, 'x'.repeat(10_000)])],
};

for (const [title, environment] of Object.entries(environments))
  test(`the environment is as given: ${title}`, async (t) => {
    const { by, without } = await bothWays({ environment });
    t.deepEqual(by.environment, without.environment);
    t.deepEqual(by.environment, environment.map(([name, value]) => `${name}=${value}`).sort());
  });

test('of two variables of one name the command gets the first, and no string without =', async (t) => {
  const given = [PATH.join('='), 'A=1', 'NAMELESS', 'A=2', 'B.C=3', 'B.C=4', 'D=5'];
  const raw = [...python, fixture('raw-environment.py'), ...given, '--'];
  const { stdout, stderr } = await run([...raw, '/usr/bin/env', ...via, ...probe]);
  t.is(stderr, '');
  const seen = JSON.parse(stdout) as { environment: string[] };
  t.deepEqual(seen.environment, [PATH.join('='), 'A=1', 'B.C=3', 'D=5'].sort());
});

const settings: Record<string, Settings> = {
  'nothing special': {},
  'descriptors 3, 9 and a gap': { descriptors: { 3: '/etc/passwd', 5: '/dev/zero', 9: '/etc/group' } },
  'descriptors beyond 9': { descriptors: { 4: '/dev/zero', 10: '/etc/passwd', 11: '/dev/zero', 40: '/etc/group' } },
  'all descriptors of one digit': {
    descriptors: Object.fromEntries([3, 4, 5, 6, 7, 8, 9].map((fd) => [fd, '/dev/zero'])),
  },
  'a soft limit below the hard one': { nofile: [64, 512] },
  'limits that are equal': { nofile: [512, 512] },
  'a umask': { umask: 0o27 },
};

for (const [title, setting] of Object.entries(settings))
  test(`the command sees the same: ${title}`, async (t) => {
    const { by, without } = await bothWays(setting);
    for (const seen of [by, without]) {
      // Pipes have other numbers in each run; the probe opens a directory to list what is open.
      for (const [fd, path] of Object.entries(seen.descriptors))
        if (/^(pipe|socket):/.test(path)) seen.descriptors[fd] = 'pipe';
    }
    t.deepEqual(
      { ...by, argv: [], environment: [], group: true, session: true },
      { ...without, argv: [], environment: [], group: true, session: true },
    );
    t.true(by.group && by.session);
  });

// HUP: nohup. INT and QUIT: a script's background job. PIPE: a service of systemd's.
for (const ignored of [[], [1], [2, 3], [13], [1, 2, 3, 13, 15, 25]])
  test(`signals that were ignored stay so, and no other is: ${ignored.join()}`, async (t) => {
    const status = ['grep', 'SigIgn', '/proc/self/status'];
    const { stdout } = await run(under({ ignored }, [...via, ...status]));
    t.is(stdout, (await run(under({ ignored }, status))).stdout);
  });

outside('a working directory that was removed is kept', async (t) => {
  const { stdout } = await run(under({ gone: true }, [...via, ...probe]));
  t.regex(JSON.parse(stdout).cwd, / \(deleted\)$/);
});

test('stdin and stdout carry any bytes, stderr is apart', async (t) => {
  const input = randomBytes(1 << 20);
  const cat = await byVia(['cat'], { input });
  t.true(cat.bytes.equals(input));
  t.is(cat.stderr, '');
  const both = await byVia(['sh', '-c', 'echo out; echo err >&2']);
  t.deepEqual([both.stdout, both.stderr], ['out\n', 'err\n']);
});

test('notes in VIA_LAUNCHER by hand confuse nothing', async (t) => {
  const notes = ['', 'full', 'x', '0 1 2 3', `9 5 6 ${process.pid} ${process.pid} (node) S`, '9'.repeat(1000), '9\n\0'];
  for (const note of notes.map((text) => text.replace('\0', ''))) {
    const main = join(root, 'bin/start.cjs');
    const result = await run([process.execPath, main, 'none', '--', 'sh', '-c', 'echo "${VIA_LAUNCHER-unset}"'], {
      env: { VIA_LAUNCHER: note },
    });
    t.deepEqual([result.stdout, result.stderr, result.code], ['unset\n', '', 0], note);
  }
});
