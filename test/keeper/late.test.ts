import { readFileSync } from 'node:fs';
import test from 'ava';
import { argvOf, familyOf } from '../helpers/family.js';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { holdLock } from '../helpers/lock.js';
import { fixture, viaBin } from '../helpers/paths.js';

test.serial('a keeper that comes too late to look makes nothing', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const holder = await holdLock(lab);
    const env = { STEPS_LOG: '/run/steps.log' };
    const start = viaBin.replace(/via$/, 'start.cjs');
    const keeping = lab.start('client', [process.execPath, '-r', fixture('steps.cjs'), start, 'keep'], { env });
    await until('it waits for the lock', () => lab.processes().some(({ argv }) => argv.join(' ') === 'flock -w 30 3'));
    // As the last via does it: with the lock still held.
    await lab.sh('client', 'rm -r /run/via');
    holder.stdin.end();
    const { code, stdout, stderr } = await keeping.done;
    t.deepEqual([code, stdout, stderr], [0, '', '']);
    // For a moment only, but a script that looks after its last via would see it.
    t.notRegex(await lab.sh('client', 'cat /run/steps.log; rm /run/steps.log'), /mkdirSync/);
  });
  t.deepEqual(left, []);
});

test.serial('a keeper whose FIFO was removed hears its listener all the same', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    // Before it starts the listener, which it does after a moment.
    const script = 'rm /run/via/keeper-*; sleep 1; ls -l /run/via/keeper-*';
    const { code, stdout } = await lab.via(['-x', '10.0.2.1', '--', 'sh', '-c', script]);
    t.is(code, 0);
    // Another one has been started, by its FIFO; no file was made in its place.
    t.regex(stdout, /^p[^\n]*\n$/);
    await kept(lab);
  });
  t.deepEqual(left, []);
});

/** When it was started, in hundredths of a second (proc(5), stat). */
const startOf = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19],
  );

test.serial('what ends at once pays for no listener', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const running = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
  await running.waitFor(/in/);
  const listener = () => familyOf(lab).find(({ pid }) => argvOf(pid)[1]?.endsWith('/bin/listener'));
  await until('a listener is there', () => listener() !== undefined);
  const [keeper] = lab.keepers();
  // The keeper was started before there was a group; the listener comes a fifth of a second after that.
  t.true(startOf(listener()?.pid ?? 0) - startOf(keeper?.pid ?? 0) >= 19);
  running.stdin.end();
  t.is((await running.done).stderr, '');
  await kept(lab);
});
