import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving, quiet, until } from '../helpers/left.js';
import { holdLock } from '../helpers/lock.js';
import { viaBin } from '../helpers/paths.js';

/** Until via waits for the lock. */
const waits = (lab: Lab) =>
  until('via waits', () => lab.processes().some(({ argv }) => argv[0] === 'flock' && argv.includes('-w')));

test.serial('the lock is held: via waits, and goes on when it is released', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const holder = await holdLock(lab);
  const waiting = lab.start('client', [viaBin, '10.0.2.1', '--', 'echo', 'ran']);
  await waits(lab);
  t.is(waiting.stdout, '');
  holder.stdin.end();
  const { code, stdout, stderr } = await waiting.done;
  t.deepEqual([code, stdout, stderr], [0, 'ran\n', '']);
});

test.serial('the holder is killed: the kernel releases the lock', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const holder = await holdLock(lab);
  const waiting = lab.start('client', [viaBin, '10.0.2.1', '--', 'echo', 'ran']);
  await waits(lab);
  await lab.sh(
    'client',
    `kill -9 ${lab
      .processes()
      .flatMap(({ pid, argv }) => (/held/.test(argv.join(' ')) ? [pid] : []))
      .join(' ')}`,
  );
  t.is((await waiting.done).stdout, 'ran\n');
  await holder.done;
});

test.serial('a signal ends the wait', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const holder = await holdLock(lab);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    const { left } = await leaving(lab, async () => {
      const waiting = lab.start('client', [viaBin, '10.0.2.1', '--', 'echo', 'ran']);
      await waits(lab);
      waiting.kill(signal);
      const ended = await waiting.done;
      t.deepEqual([ended.signal, ended.stdout, ended.stderr], [signal, '', '']);
      t.true(ended.ms < 5000);
      await quiet(lab, 2);
    });
    t.deepEqual(left, [], signal);
  }
  holder.stdin.end();
});

test.serial('a signal does not end the wait of the last one who leaves', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const last = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
    await last.waitFor(/in/);
    const holder = await holdLock(lab);
    last.stdin.end();
    await waits(lab);
    last.kill('SIGTERM');
    last.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await waits(lab);
    holder.stdin.end();
    const ended = await last.done;
    t.deepEqual([ended.signal, ended.stderr], [null, '']);
  });
  t.deepEqual(left, []);
});

test.serial('a pipe in the place of a record is taken away like any broken one', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const script = 'cd /run/via; for f in group-*; do rm $f; mkfifo $f; done';
    const { code, stderr } = await lab.via(['10.0.2.1', '--', 'sh', '-c', script]);
    t.deepEqual([code, stderr], [0, '']);
  });
  t.deepEqual(left, []);
});

test.serial('who joins a group that is used needs no lock', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const first = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
  await first.waitFor(/in/);
  const holder = await holdLock(lab);
  const { code, stdout, stderr } = await lab.via(['10.0.2.1', '--', 'echo', 'ran']);
  t.deepEqual([code, stdout, stderr], [0, 'ran\n', '']);
  holder.stdin.end();
  first.stdin.end();
  await first.done;
});

test.serial('somebody who is not root cannot hold it', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const first = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
  await first.waitFor(/in/);
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const tried = await lab.run('client', [...nobody, 'flock', '-n', '/run/via/lock', 'true']);
  t.not(tried.code, 0);
  t.regex(tried.stderr, /denied/i);
  first.stdin.end();
  await first.done;
});
