import test from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, start, type Running } from '../helpers/exec.js';
import { root } from '../helpers/paths.js';
import { isBecoming, signalCounter, startByVia, under, via } from './tools.js';

/** What the command got, in the end: a second of the same kind would be told within this time. */
async function received(program: Running): Promise<string[]> {
  await sleep(150);
  return program.stdout.match(/^SIG.*/gm) ?? [];
}

async function finish(program: Running, code = 0) {
  program.write(`exit ${code}\n`);
  return program.done;
}

const ENDING = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPWR', 'SIGINT', 'SIGQUIT'] as const;
const OTHERS = ['SIGCONT', 'SIGWINCH', 'SIGURG', 'SIGIO', 'SIGPIPE', 'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM'] as const;
const FAULTS = [
  'SIGPROF',
  'SIGTRAP',
  'SIGABRT',
  'SIGSYS',
  'SIGSTKFLT',
  'SIGILL',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
] as const;

for (const signal of [...ENDING, ...OTHERS, ...FAULTS])
  test(`${signal} sent to via alone reaches the command once`, async (t) => {
    const program = startByVia(signalCounter, { detached: true });
    await program.waitFor(/ready/);
    program.kill(signal);
    await program.waitFor(new RegExp(`${signal} 1`));
    t.deepEqual(await received(program), [`${signal} 1`]);
    program.kill(signal);
    await program.waitFor(new RegExp(`${signal} 2`));
    const { code, stderr } = await finish(program, 3);
    t.deepEqual([code, stderr], [3, '']);
  });

for (const signal of ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const)
  test(`${signal} sent to via alone reaches the command, via stops, and CONT wakes both`, async (t) => {
    const program = startByVia([...signalCounter, signal], { detached: true });
    await program.waitFor(/ready/);
    for (const count of [1, 2]) {
      program.kill(signal);
      await program.waitFor(new RegExp(`${signal} ${count}`));
      if (!isBecoming()) await stopped(program.pid);
      program.kill('SIGCONT');
      await program.waitFor(new RegExp(`SIGCONT ${count}`));
    }
    t.deepEqual(await received(program), [`${signal} 1`, 'SIGCONT 1', `${signal} 2`, 'SIGCONT 2']);
    t.is((await finish(program, 3)).code, 3);
  });

for (const signal of ['SIGIO', 'SIGVTALRM', 'SIGSTKFLT', 'SIGABRT', 'SIGSEGV', 'SIGXFSZ', 'SIGPIPE'] as const)
  test(`${signal} that ends the command ends via`, async (t) => {
    const program = startByVia(['sh', '-c', 'ulimit -c 0; echo ready; exec sleep 20'], { detached: true });
    await program.waitFor(/ready/);
    await sleep(100);
    program.kill(signal);
    const { signal: end, ms } = await program.done;
    t.is(end, signal);
    // Standard output stays open as long as the command lives.
    t.true(ms < 15_000, `${ms}`);
  });

async function stopped(pid: number): Promise<void> {
  while (!/\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await sleep(10);
}

test('a signal that was ignored on entry is not handed on', async (t) => {
  const program = start(under({ ignored: [1] }, [...via, ...signalCounter]), { detached: true });
  await program.waitFor(/ready/);
  program.kill('SIGHUP');
  program.kill('SIGTERM');
  await program.waitFor(/SIGTERM 1/);
  // A command that asks for it gets it, as it does without via.
  t.deepEqual((await received(program)).sort(), [...(isBecoming() ? ['SIGHUP 1'] : []), 'SIGTERM 1']);
  await finish(program);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR1'])
  test(`${signal} before the command is there: it is not started, and via dies of it`, async (t) => {
    const result = await run([process.execPath, join(root, 'build/test/fixtures/run-pending.js'), signal]);
    t.deepEqual([result.stdout, result.signal, result.stderr], ['undone\n', signal, '']);
  });

test('the process that waits takes no time, and little memory; nothing else of ours is left', async (t) => {
  const program = startByVia(['cat']);
  t.teardown(() => program.stdin.end());
  await sleep(500);
  const stat = () =>
    readFileSync(`/proc/${program.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
  const ticks = () => [Number(stat()[11]), Number(stat()[12])];
  const before = ticks();
  await sleep(2000);
  t.deepEqual(ticks(), before);
  // What is ours: pages of Node's own file come and go with the page cache (proc(5), RssAnon). All of it is in the bench.
  const own = (pid: number): number =>
    Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const bare = start([process.execPath, '-e', 'process.stdin.resume(); console.log("ready")']);
  t.teardown(() => bare.stdin.end());
  await bare.waitFor(/ready/);
  t.log(`memory: ${own(program.pid)} kB, a bare node: ${own(bare.pid)} kB`);
  t.true(own(program.pid) <= own(bare.pid) + 2 * 1024);
  const children = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').trim().split(' ');
  t.is(children.length, 1);
  program.stdin.end();
  t.is((await program.done).code, 0);
});
