import test, { type ExecutionContext } from 'ava';
import { setTimeout as sleep } from 'node:timers/promises';
import { localPty, type Terminal } from '../helpers/pty.js';
import { isBecoming, signalCounter, via } from './tools.js';

const CTRL_C = '\x03';
const CTRL_Z = '\x1a';
const CTRL_BACKSLASH = '\x1c';

// When the tests run, not before: joining.ts makes its lab first.
const viaWords = (): string => via.join(' ');
const counter = (): string => `${viaWords()} ${signalCounter.join(' ')}`;

/** An interactive shell; what it says about itself is kept apart from what is typed by `$((1))`. */
function shell(t: ExecutionContext): Terminal {
  const terminal = localPty(['bash', '--norc', '--noprofile', '-i'], { env: { PS1: '$ ', NODE_OPTIONS: undefined } });
  t.teardown(() => terminal.program.kill('SIGKILL'));
  return terminal;
}

async function leave(terminal: Terminal): Promise<void> {
  terminal.type('exit 0\n');
  await terminal.program.done;
}

test('^C and ^\\ give one signal each', async (t) => {
  const terminal = shell(t);
  terminal.type(`${counter()}; echo status=$?\n`);
  await terminal.see(/ready \d+/);
  for (const [key, signal] of [
    [CTRL_C, 'SIGINT'],
    [CTRL_BACKSLASH, 'SIGQUIT'],
  ] as const)
    for (const count of [1, 2]) {
      terminal.type(key);
      await terminal.see(new RegExp(`${signal} ${count}`));
      await sleep(150);
    }
  const got = terminal.program.stdout.match(/SIG(INT|QUIT) \d/g);
  t.deepEqual(got, ['SIGINT 1', 'SIGINT 2', 'SIGQUIT 1', 'SIGQUIT 2']);
  terminal.type('exit 5\n');
  await terminal.see(/status=5/);
  await leave(terminal);
});

test('^Z stops the command, fg and bg let it go on', async (t) => {
  const terminal = shell(t);
  terminal.type(`${counter()} --blind\n`);
  const [, pid] = await terminal.see(/ready (\d+)/);
  terminal.type(CTRL_Z);
  await terminal.see(/Stopped/);
  // The shell hears of via only, which may be the first to stop.
  terminal.type(`until grep -q ') T' /proc/${pid}/stat; do sleep 0.01; done; echo stopped=$((1))\n`);
  await terminal.see(/stopped=1/);
  terminal.type('bg\n');
  await terminal.see(/SIGCONT 1/);
  terminal.type('fg\n');
  await terminal.see(/(none (-x )?|10.0.2.1 )--/);
  await sleep(100);
  terminal.type(CTRL_C);
  await terminal.see(/SIGINT 1/);
  terminal.type(CTRL_Z);
  await terminal.see(/Stopped/);
  terminal.type(`kill -KILL ${pid}; fg; echo status=$?\n`);
  await terminal.see(/status=(137|1)\b/);
  await leave(terminal);
  t.pass();
});

test('a command that handles ^Z gets one TSTP, one CONT at fg and at bg, and one WINCH at a new size', async (t) => {
  const terminal = shell(t);
  terminal.type(`${counter()} --blind SIGTSTP SIGTTIN\n`);
  const [, pid] = await terminal.see(/ready (\d+)/);
  if (isBecoming()) {
    terminal.type(CTRL_Z);
    await terminal.see(/SIGTSTP 1/);
  } else {
    for (const [count, word] of [
      [1, 'fg'],
      [2, 'bg'],
      [3, 'fg'],
    ] as const) {
      if (count === 3) {
        terminal.type('fg\n');
        await sleep(300);
      }
      terminal.type(CTRL_Z);
      await terminal.see(/Stopped/);
      await sleep(150);
      terminal.type(`${word}\n`);
      await sleep(300);
    }
    const got = terminal.program.stdout.match(/SIG(TSTP|CONT) \d/g);
    // fg sends no CONT to a job that bg has let go on.
    t.deepEqual(got, ['SIGTSTP 1', 'SIGCONT 1', 'SIGTSTP 2', 'SIGCONT 2', 'SIGTSTP 3', 'SIGCONT 3']);
  }
  terminal.resize(30, 90);
  await terminal.see(/SIGWINCH 1/);
  await sleep(150);
  t.false(/SIGWINCH 2/.test(terminal.program.stdout));
  terminal.type(CTRL_C);
  await terminal.see(/SIGINT 1/);
  process.kill(Number(pid), 'SIGKILL');
  await leave(terminal);
});

test('TSTP sent to via alone in the foreground stops both, and fg wakes both', async (t) => {
  const terminal = shell(t);
  terminal.type(`${viaWords()} sh -c 'echo ready $PPID $$; sleep 0.5; read line; echo got $line'\n`);
  const [, parent, pid] = await terminal.see(/ready (\d+) (\d+)/);
  process.kill(Number(isBecoming() ? pid : parent), 'SIGTSTP');
  await terminal.see(/Stopped/);
  terminal.type(`until grep -q ') T' /proc/${pid}/stat; do sleep 0.01; done; echo stopped=$((1))\n`);
  await terminal.see(/stopped=1/);
  terminal.type('fg\n');
  await sleep(800);
  terminal.type('word\n');
  await terminal.see(/got word/);
  await leave(terminal);
  t.pass();
});

test('a command in the background that reads the terminal stops, and fg lets it read', async (t) => {
  const terminal = shell(t);
  terminal.type(`${viaWords()} sh -c 'echo ready $$; head -n 1 | tr a-z A-Z' &\n`);
  await terminal.see(/ready \d+/);
  await sleep(300);
  terminal.type('\n');
  await terminal.see(/Stopped/);
  terminal.type('fg\n');
  await sleep(300);
  terminal.type('word\n');
  await terminal.see(/WORD/);
  await leave(terminal);
  t.pass();
});

test('^Z does not stop via where no shell could wake it', async (t) => {
  const terminal = localPty([...via, 'sh', '-c', 'echo ready; read line; echo got $line; exit 3'], {
    env: { NODE_OPTIONS: undefined },
  });
  t.teardown(() => terminal.program.kill('SIGKILL'));
  await terminal.see(/ready/);
  terminal.type(CTRL_Z);
  await sleep(200);
  terminal.type('word\n');
  await terminal.see(/got word/);
  t.is((await terminal.program.done).code, 3);
});

test('a loop of the shell ends at ^C, since via dies of it too', async (t) => {
  const terminal = shell(t);
  terminal.type(`n=0; while [ $n -lt 3 ]; do n=$((n+1)); ${viaWords()} sh -c 'echo go; exec sleep 60'; done\n`);
  await terminal.see(/\rgo\r/);
  terminal.type(CTRL_C);
  await terminal.see(/\$ /);
  terminal.type('echo loops=$n\n');
  const [, loops] = await terminal.see(/loops=(\d)/);
  t.is(loops, '1');
  await leave(terminal);
});

test('a shell inside has job control of its own', async (t) => {
  const terminal = shell(t);
  terminal.type(`${viaWords()} bash --norc --noprofile -i\n`);
  terminal.type('echo inner=$((1))\n');
  await terminal.see(/inner=1/);
  terminal.type('sh -c "echo sleeping=$((2)); exec sleep 60"\n');
  await terminal.see(/sleeping=2/);
  terminal.type(CTRL_C);
  terminal.type('echo after=$?\n');
  await terminal.see(/after=130/);
  terminal.type('exit 4\n');
  terminal.type('echo status=$?\n');
  await terminal.see(/status=4/);
  await leave(terminal);
  t.pass();
});

test('what the command sets on the terminal stays set', async (t) => {
  const terminal = shell(t);
  terminal.type(`${viaWords()} stty -ixon susp undef; stty -a | grep -o 'susp = [^;]*\\|-ixon'; echo shown=$((1))\n`);
  const [seen] = await terminal.see(/[^]*shown=1/);
  t.regex(seen, /susp = <undef>/);
  t.regex(seen, /\n-ixon/);
  await leave(terminal);
});
