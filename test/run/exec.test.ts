import test from 'ava';
import { run, start } from '../helpers/exec.js';
import { viaBin } from '../helpers/paths.js';
import { outside, signalCounter, via } from './tools.js';

/** What only a via that becomes the command can give. */
const becoming = via.includes('none') ? [viaBin, 'none', '-x', '--'] : via;

/** A program in sh, which `"$@"` starts. */
const shell = (script: string, words: string[]): string[] => ['sh', '-c', script, 'sh', ...words];

const bytes = Array.from({ length: 255 }, (_, i) => i + 1);
const octal = bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

test('arguments are any bytes', async (t) => {
  // The command substitution takes no newline at the end, so there is one more byte.
  const script = `word=$(printf '${octal}.'); exec "$@" "$word" "$(printf '\\377')"`;
  const dump = ['sh', '-c', `printf '%s\\n' "$@" | od -An -v -tx1`, 'sh'];
  const [by, without] = await Promise.all([run(shell(script, [...becoming, ...dump])), run(shell(script, dump))]);
  t.deepEqual([by.code, by.stderr], [0, '']);
  t.regex(by.stdout.replace(/\s+/g, ' '), /fe ff 2e 0a ff 0a $/);
  t.is(by.stdout, without.stdout);
});

outside('a command may have a name that is not UTF-8', async (t) => {
  const script = `d=$(mktemp -d); cd "$d"; f=./$(printf 'a\\377'); printf '#!/bin/sh\\necho ran\\n' >"$f"; chmod +x "$f"; "$@" "$f"; rm -r "$d"`;
  const { stdout, stderr } = await run(shell(script, becoming));
  t.deepEqual([stdout, stderr], ['ran\n', '']);
});

for (const name of ['VALUE', 'A.B', 'BASH_FUNC_f%%', '_', 'PWD', 'OLDPWD', 'IFS', 'via_try', 'VIA_EXEC'])
  test(`the environment is any bytes: ${name}`, async (t) => {
    const value = `word=$(printf '${octal}.'); exec env -i PATH="$PATH" ${name}="$word"`;
    const dump = ['sh', '-c', 'od -An -v -c /proc/$$/environ'];
    const [by, without] = await Promise.all(
      [[...becoming, ...dump], dump].map((argv) => run(shell(`${value} "$@"`, argv))),
    );
    t.deepEqual([by?.code, by?.stderr], [0, '']);
    // In any order.
    const lines = (text = ''): string[] => text.replace(/\s+/g, ' ').split(' \\0').sort();
    t.deepEqual(lines(by?.stdout), lines(without?.stdout));
    t.true(lines(by?.stdout).length >= 2);
  });

test('it keeps the process id, and has no child of ours; its parent is our caller', async (t) => {
  const script = 'echo $$ $PPID; exec "$@"';
  const command = ['sh', '-c', 'echo $$ $PPID; read -r children </proc/$$/task/$$/children; echo "$children"'];
  const { stdout } = await run(shell(script, [...becoming, ...command]));
  const [before, after, children] = stdout.split('\n');
  t.is(after, before);
  t.is(children, '');
});

test('socket activation: LISTEN_PID and the descriptors are right', async (t) => {
  const script = 'exec 3</etc/passwd 4</etc/group; LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"';
  const command = ['sh', '-c', '[ "$LISTEN_PID" = $$ ] && readlink /proc/$$/fd/3 /proc/$$/fd/4'];
  const { code, stdout } = await run(shell(script, [...becoming, ...command]));
  t.deepEqual([code, stdout], [0, '/etc/passwd\n/etc/group\n']);
});

test('standard descriptors that are closed stay closed', async (t) => {
  for (const closed of ['<&-', '>&-', '<&- >&-', '2>&-', '<&- 2>&-', '<&- >&- 2>&-']) {
    const script = `exec 7>&1; { "$@" ${closed}; } 7>&7`;
    const command = ['sh', '-c', 'ls /proc/$$/fd >&7'];
    const [by, without] = await Promise.all([
      run(shell(script, [...becoming, ...command])),
      run(shell(script, command)),
    ]);
    t.is(by.stdout, without.stdout, closed);
  }
});

test('a command that stops itself is stopped for our caller, and goes on', async (t) => {
  const script = `
    import os, sys
    pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
    print(os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]), flush=True)
    os.kill(pid, 18)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`.replace(/^ {4}/gm, '');
  const command = [...becoming, 'sh', '-c', 'kill -STOP $$; exit 7'];
  const { stdout } = await run(['python3', '-I', '-S', '-c', script, ...command]);
  t.is(stdout, 'True\n7\n');
});

test('death by a real-time signal is told', async (t) => {
  const script = 'import subprocess, sys; print(subprocess.call(sys.argv[1:]))';
  const { stdout } = await run(['python3', '-I', '-S', '-c', script, ...becoming, 'sh', '-c', 'kill -40 $$']);
  t.is(stdout, '-40\n');
});

test('a signal to the process group arrives once', async (t) => {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR1'] as const) {
    const program = start([...becoming, ...signalCounter], { detached: true });
    await program.waitFor(/ready/);
    process.kill(-program.pid, signal);
    await program.waitFor(new RegExp(`${signal} 1`));
    program.write('exit 0\n');
    await program.done;
    t.deepEqual(program.stdout.match(/^SIG.*/gm), [`${signal} 1`]);
  }
});

test('nohup, limits and priority stay', async (t) => {
  const command = ['sh', '-c', 'grep Sig[BIC] /proc/self/status; ulimit -a; nice'];
  const script = 'ulimit -n 60; ulimit -t 500; exec nohup nice -n 5 "$@"';
  const [by, without] = await Promise.all([run(shell(script, [...becoming, ...command])), run(shell(script, command))]);
  t.deepEqual([by.stdout, by.code], [without.stdout, 0]);
});

outside('what begins with - or has a = in it is run all the same', async (t) => {
  const script = `d=$(mktemp -d); cd "$d"; for f in a=b -x -x=y; do printf '#!/bin/sh\\necho ran "$@"\\n' >"./$f"; done; chmod +x ./*
    PATH=$d:$PATH; export PATH; "$@" ./a=b 1; "$@" -x 2; env A.B=1 "$@" ./a=b 3; env A.B=1 "$@" -x 4; "$@" -x=y 5; env A.B=1 "$@" -x=y 6
    ln -s "$(command -v node)" node; for f in ./a=b -x -x=y; do env PATH="$d" A.B=1 "$@" "$f" alone; done; PATH=/usr/bin:/bin; rm -r "$d"`;
  const { stdout, stderr } = await run(shell(script, becoming));
  t.deepEqual(
    [stdout, stderr],
    [`${[1, 2, 3, 4, 5, 6].map((n) => `ran ${n}\n`).join('')}${'ran alone\n'.repeat(3)}`, ''],
  );
});

test('start.cjs by itself cannot become the command, and says so', async (t) => {
  const main = viaBin.replace(/via$/, 'start.cjs');
  for (const env of [{}, { VIA_EXEC: '1' }, { VIA_EXEC: 'x' }]) {
    const { code, stderr } = await run([process.execPath, main, 'none', '-x', '--', 'true'], { env });
    t.deepEqual([code, stderr], [125, 'via: option --exec: works with bin/via only\n']);
  }
});

outside(
  'with all descriptors taken, what bash reads is for the command alone, and PATH need not lead to bash',
  async (t) => {
    const taken = Array.from({ length: 13 }, (_, i) => `${i + 3}</etc/passwd`).join(' ');
    const script = `d=$(mktemp -d); ln -s "$(command -v node)" "$d/node"; echo 'echo ran BASH_ENV' >"$d/env"; export d
    echo 'echo ran bashrc' >"$d/.bashrc"; export HOME="$d"; unset SHLVL
    bash --norc -c 'exec ${taken}; unset SHLVL; BASH_ENV=$d/env PATH=$d exec "$@"' bash "$@"; rm -r "$d"`;
    const command = ['/bin/sh', '-c', '[ "$BASH_ENV" = "$d/env" ] && [ "$PATH" = "$d" ] && echo right'];
    const { stdout, stderr } = await run(shell(script, [...becoming, ...command]));
    t.deepEqual([stdout, stderr], ['right\n', '']);
  },
);

test('where sh is bash, the environment stays as it is', async (t) => {
  const script = 'mount --bind "$(command -v bash)" "$(readlink -f /bin/sh)"; exec env -i PATH="$PATH" $vars "$@"';
  const command = ['/usr/bin/env'];
  for (const vars of ['', 'SHLVL=5', 'SHELLOPTS=errexit:nounset', 'A.B=1 _=x PWD=/nowhere']) {
    const inside = ['unshare', '--mount', 'bash', '-c', script, 'bash'];
    const [by, without] = await Promise.all(
      [[...becoming, ...command], command].map((argv) => run([...inside, ...argv], { env: { vars } })),
    );
    t.is(by?.stderr, '');
    t.deepEqual(by?.stdout.split('\n').sort(), without?.stdout.split('\n').sort(), vars);
  }
});
