import test from 'ava';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../helpers/exec.js';
import { viaBin } from '../helpers/paths.js';
import { byVia, probe, under, via } from './tools.js';

for (const code of [0, 1, 2, 125, 126, 127, 128, 130, 255])
  test(`the exit status is the command's: ${code}`, async (t) => {
    const result = await byVia(['sh', '-c', `exit ${code}`]);
    t.deepEqual([result.code, result.signal, result.stderr], [code, null, '']);
  });

const NOT_DEADLY = new Set(['SIGCHLD', 'SIGCONT', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGWINCH']);
const ALIASES = new Set(['SIGIOT', 'SIGPOLL', 'SIGUNUSED']);

for (const [name, number] of Object.entries(constants.signals)) {
  if (NOT_DEADLY.has(name) || ALIASES.has(name)) continue;
  test(`via dies of the command's signal: ${name}`, async (t) => {
    const result = await byVia(['sh', '-c', `ulimit -c 0; kill -${number} $$`]);
    t.deepEqual([result.code, result.signal, result.stderr], [null, name, '']);
  });
}

test('via leaves no core of its own', async (t) => {
  const shell = 'ulimit -c unlimited; cd "$(mktemp -d)"; "$@"; ls; rm -rf "$PWD"';
  const result = await run(['sh', '-c', shell, 'sh', ...via, 'sh', '-c', 'ulimit -c 0; kill -ABRT $$']);
  t.is(result.stdout, '');
});

test('what cannot be run: one line, 126 or 127', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'via-run-'));
  const file = (name: string, text: string, mode: number) => {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), mode);
    return join(directory, name);
  };
  const cases: [string, number, string][] = [
    ['no-such-command', 127, 'command "no-such-command": not found'],
    ['/no/such/command', 127, 'command "/no/such/command": not found'],
    ['', 127, 'command "": not found'],
    ['a\n"b', 127, 'command "a\\n\\"b": not found'],
    [directory, 126, `command "${directory}": permission denied`],
    [file('plain', 'true\n', 0o644), 126, `command "${directory}/plain": permission denied`],
    [`${directory}/plain/x`, 126, `command "${directory}/plain/x": not a directory`],
    [file('lost', '#!/no/such/shell\n', 0o755), 126, `command "${directory}/lost": its interpreter is not there`],
  ];
  for (const [command, code, line] of cases) {
    const result = await byVia([command]);
    t.deepEqual([result.code, result.stderr, result.stdout], [code, `via: ${line}\n`, ''], command);
  }
  const onPath = await byVia(['lost'], { env: { PATH: `${directory}:${process.env['PATH']}` } });
  t.is(onPath.code, 126);
  // As execvp(3) has it, a file without a first line of its own is the shell's.
  t.is((await byVia([file('script', 'exit 7\n', 0o755)])).code, 7);
  rmSync(directory, { recursive: true });
});

test('the launcher is found by a link, by PATH, and in a directory with a space', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'via run '));
  const shell = `ln -s '${viaBin}' link && ln -s link via && PATH="$PWD:$PATH" && via none -- "$@"`;
  const { stdout, code } = await run(['sh', '-c', shell, 'sh', ...probe, 'x'], { cwd: directory });
  t.is(code, 0);
  t.deepEqual(JSON.parse(stdout).argv.slice(-1), ['x']);
  const here = 'cd "$1" && sh via none -- echo found && cd .. && bin/via none -- echo again';
  t.is((await run(['sh', '-c', here, 'sh', join(viaBin, '..')])).stdout, 'found\nagain\n');
  rmSync(directory, { recursive: true });
});

test('without Node, one line and 125', async (t) => {
  const result = await run(under({ environment: [['PATH', '/nowhere']] }, [viaBin, 'none', '--', 'true']));
  t.deepEqual([result.code, result.stderr], [125, 'via: node: not found (install Node 20.19 or newer)\n']);
});
