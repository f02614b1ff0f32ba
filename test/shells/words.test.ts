import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { isViaError } from '../../src/failure.js';
import { FALLBACK_TABLE } from '../../src/plan/numbers.js';
import { aliasLines, readAlias } from '../../src/words/aliases.js';
import { run } from '../helpers/exec.js';
import { root, viaBin } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';

const folder = `${root}/share/completions`;
const POSIX = "alias lte='via 192.168.8.1 '";

/** What a line of a shell prints that ends with another command, so that the shell stays as the parent. */
const from = (argv: string[], words = 'alias lte=192.168.8.1') => run([...argv, `${viaBin} ${words}; exit $?`]);

async function isFor(t: ExecutionContext, argv: string[], shell: 'bash' | 'zsh' | 'fish' | 'sh'): Promise<void> {
  const { code, stdout, stderr } = await from(argv);
  t.deepEqual([code, stderr], [0, ''], argv.join(' '));
  const lines = aliasLines(shell, [{ name: 'lte', gateway: '192.168.8.1' }], folder);
  t.is(stdout, `${lines.join('\n')}\n`, argv.join(' '));
}

test('alias: the shell is the one that the kernel says is the parent', async (t) => {
  await isFor(t, ['bash', '--norc', '-c'], 'bash');
  await isFor(t, ['zsh', '-f', '-c'], 'zsh');
  await isFor(t, ['dash', '-c'], 'sh');
  // By whatever name it was called.
  await isFor(t, ['bash', '-c', 'exec -a zsh dash -c "$1"', 'bash'], 'sh');
  await isFor(t, ['dash', '-c', 'exec bash -c "exec -a -sh bash -c \\"\\$1\\" sh \\"\\$1\\"" sh "$1"', 'sh'], 'bash');
  const fish = await run(['fish', '--no-config', '-c', `${viaBin} alias lte=192.168.8.1; exit $status`]);
  t.regex(fish.stdout, /^complete --command lte --wraps 'via 192\.168\.8\.1'$/m);
  t.regex((await from(['dash', '-c'], 'alias --shell zsh lte=192.168.8.1')).stdout, /compdef _via via lte/);
  t.is((await from(['bash', '-c'], 'alias --shell=sh lte=192.168.8.1')).stdout, `${POSIX}\n`);
});

test('alias and completion: started by no shell, they ask for its name', async (t) => {
  const node = `require('child_process').spawnSync(process.argv[1], process.argv.slice(2), {stdio: 'inherit'})`;
  const asked = (word: string[]) => run([process.execPath, '-e', node, viaBin, ...word]);
  t.is(
    (await asked(['alias', 'a=tun0'])).stderr,
    'via: shell "node": not one that via knows (--shell bash, zsh, fish or sh)\n',
  );
  t.is(
    (await asked(['completion'])).stderr,
    'via: shell "node": not one that via knows (there is one for bash, zsh and fish)\n',
  );
  t.regex((await asked(['alias', '--shell=sh', 'a=tun0'])).stdout, /^alias a='via tun0 '\n$/);
});

test('completion prints the file for a shell', async (t) => {
  for (const [shell, file] of [
    ['bash', 'via'],
    ['zsh', '_via'],
    ['fish', 'via.fish'],
  ] as const) {
    const { code, stdout } = await run([viaBin, 'completion', shell]);
    t.deepEqual([code, stdout], [0, readFileSync(`${folder}/${file}`, 'utf8')]);
  }
  t.is((await from(['zsh', '-f', '-c'], 'completion')).stdout, readFileSync(`${folder}/_via`, 'utf8'));
  refused(t, await run([viaBin, 'completion', 'csh']), /^via: completion "csh": no such shell \(there is one for/);
  refused(t, await from(['dash', '-c'], 'completion'), /^via: completion "sh": no such shell/);
});

test('completion as a shell reads it from via', async (t) => {
  const bash = `source <(${viaBin} completion bash); complete -p via`;
  t.is((await run(['bash', '--norc', '-c', bash])).stdout, 'complete -F _via via\n');
  const zsh = `autoload -Uz compinit; compinit -D -u; source <(${viaBin} completion zsh); print $_comps[via]`;
  t.is((await run(['zsh', '-f', '-c', zsh])).stdout, '_via\n');
  const fish = `${viaBin} completion fish | source; complete -C'via sta'`;
  t.is((await run(['fish', '--no-config', '-c', fish])).stdout, 'status\tshow which gateways are in use\n');
});

/** What is given to alias, and what is said of it. */
const BAD: readonly (readonly [string, RegExp])[] = [
  ['lte', /alias "lte": no gateway \(write <name>=<gateway>\)/],
  ['=tun0', /alias "": not a name/],
  ['lte=', /gateway "": empty/],
  ['-x=tun0', /option "-x=tun0": unknown/],
  ['l te=tun0', /alias "l te": not a name/],
  ['a;id=tun0', /alias "a;id": not a name/],
  ['$(id)=tun0', /alias "\$\(id\)": not a name/],
  ['`id`=tun0', /alias "`id`": not a name/],
  ['a\nid=tun0', /alias "a\\x0aid": not a name/],
  ["a'=tun0", /alias "a'": not a name/],
  ['(id)=tun0', /alias "\(id\)": not a name/],
  ['a/b=tun0', /alias "a\/b": not a name/],
  ['a*=tun0', /alias "a\*": not a name/],
  ['lte=$(id)', /gateway "\$\(id\)": neither/],
  ['lte=(id)', /gateway "\(id\)": neither/],
  ["lte=tun0'; id '", /gateway "tun0'; id '": neither/],
  ['lte=10.0.0.1\nid', /gateway "10\.0\.0\.1\\x0aid": neither/],
  ['lte=fe80::1%`id`', /gateway "fe80::1%`id`": neither/],
  ['lte=-x', /gateway "-x": neither/],
  ['lte=a=b', /gateway "a=b": neither/],
  ['lte=10.0.0.1 ', /gateway "10\.0\.0\.1 ": neither/],
  ['lte=192.168.8.256', /gateway "192\.168\.8\.256": not an IPv4 address/],
  ['via=tun0', /alias "via": would hide via itself/],
  ['if=tun0', /alias "if": a shell's own word/],
];

test('alias: names and gateways that are none are refused, and nothing is printed', async (t) => {
  for (const [pair, line] of BAD)
    refused(t, await run([viaBin, 'alias', '--shell', 'bash', 'ok=tun0', pair]), line, pair);
  refused(t, await run([viaBin, 'alias', '--shell=sh', 'a=tun0', 'b=tun0', 'a=wg0']), /alias "a": given twice/);
  refused(t, await run([viaBin, 'alias', '--shell=sh', '--', '-x=tun0']), /alias "-x": not a name/);
});

test('alias: reserved words of the shells are refused', async (t) => {
  const asked = [
    ['bash', '-c', 'compgen -k'],
    ['zsh', '-fc', 'print -l ${(k)reswords}'],
    ['dash', '-c', 'echo if then else elif fi for while until do done case esac in'],
    [
      'fish',
      '-c',
      'printf "%s\\n" and begin break builtin case command continue else end exec for function if not or return switch while',
    ],
  ];
  for (const argv of asked) {
    const words = (await run(argv)).stdout.split(/\s+/).filter((word) => /^\w/.test(word));
    t.true(words.length > 10);
    for (const word of words) t.throws(() => readAlias(`${word}=tun0`), { name: 'ViaError' }, word);
  }
});

test('alias: a device that is called like a word of via is written as a device', (t) => {
  t.is(readAlias('a=status').gateway, '%status');
  t.is(readAlias('a=%status').gateway, '%status');
  t.is(readAlias('a=tun0').gateway, 'tun0');
});

test('alias: reading the lines ends with 0, the second time too', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish', 'sh'] as const) {
    const lines = aliasLines(shell, [readAlias('a=tun0')], folder).join('\n');
    const [read, status] = shell === 'fish' ? ['cat $F | source', '$status'] : ['eval "$(cat "$F")"', '$?'];
    const program = { bash: ['bash', '--norc'], zsh: ['zsh', '-f'], fish: ['fish', '--no-config'], sh: ['dash'] }[
      shell
    ];
    const script = `${read}; echo ${status}; ${read}; echo ${status}`;
    const place = mkdtempSync(join(tmpdir(), 'via-alias-'));
    writeFileSync(`${place}/lines`, lines);
    const { stdout, stderr } = await run([...program, '-c', script], { env: { F: `${place}/lines` } });
    rmSync(place, { recursive: true });
    t.deepEqual([stdout, stderr], ['0\n0\n', ''], shell);
  }
});

test('alias: a device called self is no process id in fish', async (t) => {
  const lines = aliasLines('fish', [readAlias('a=self')], folder);
  const words = ['function via', 'printf "<%s>" $argv', 'end', ...lines, 'a b'];
  const { stdout, stderr } = await run(['fish', '--no-config', '-c', words.join('\n')]);
  t.deepEqual([stdout, stderr], ['<%self><b>', '']);
});

test('alias: whatever is given, it is refused or has nothing that a shell acts on', (t) => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('lte', 'tun0', '10.0.0.1', 'fe80::1%eth1', '=', "'", '$(id)', '\n', '-', '%', ',', '\\'),
  );
  let count = 0;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      try {
        const { name, gateway } = readAlias(parts.join(''));
        count += 1;
        if (!/^[A-Za-z_][\w-]*$/.test(name) || !/^%?\w[\w.:%,-]*$/.test(gateway)) throw new Error(parts.join(''));
      } catch (error) {
        if (!isViaError(error) || error.message.includes('\n')) throw error;
      }
    }),
    { numRuns: 5000, examples: [[['lte', '=', 'tun0']]] },
  );
  t.true(count > 0);
});

test('alias: a folder of any name is quoted', async (t) => {
  const odd = `/tmp/it's "\\'$(id) \`id\` (id) x`;
  const aliases = [{ name: 'lte', gateway: 'tun0' }];
  const lines = (shell: 'bash' | 'zsh' | 'fish') => aliasLines(shell, aliases, odd).join('\n');
  const bash = await run(['bash', '--norc', '-c', `.() { printf '<%s>' "$1"; }\n${lines('bash')}`]);
  t.is(bash.stdout, `<${odd}/via>`);
  const zsh = await run(['zsh', '-f', '-c', `compdef() {}; autoload() { print -rn "<$2>" }\n${lines('zsh')}`]);
  t.is(zsh.stdout, `<${odd}/_via>`);
  const fish = await run(['fish', '--no-config', '-c', `${lines('fish')}\nprintf '<%s>' $fish_complete_path[-1]`]);
  t.is(fish.stdout, `<${odd}>`);
});

test('the completions know the table of the route that is no router', (t) => {
  for (const file of ['via', '_via', 'via.fish'])
    t.true(readFileSync(`${folder}/${file}`, 'utf8').includes(`table ${FALLBACK_TABLE}`));
});
