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

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPWR', 'SIGINT', 'SIGQUIT'] as const)
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

for (const signal of ['SIGCONT', 'SIGWINCH'] as const)
  test(`${signal} sent to via alone is not handed on: the kernel sends it to the whole group`, async (t) => {
    const program = startByVia(signalCounter, { detached: true });
    await program.waitFor(/ready/);
    program.kill(signal);
    t.deepEqual(await received(program), isBecoming() ? [`${signal} 1`] : []);
    t.is((await finish(program)).code, 0);
  });

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
  const resident = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]);
  // Node 22 and 24 take more than 42 MB by themselves.
  const bare = await run(['node', '-p', 'fs.readFileSync("/proc/self/status", "utf8").match(/VmRSS:\\s+(\\d+)/)[1]']);
  t.log(`resident: ${resident} kB, a bare node: ${Number(bare.stdout)} kB`);
  t.true(resident <= Math.max(42 * 1024, Number(bare.stdout) + 5 * 1024));
  const children = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').trim().split(' ');
  t.is(children.length, 1);
  program.stdin.end();
  t.is((await program.done).code, 0);
});
