import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { holdLock } from '../helpers/lock.js';
import { viaBin } from '../helpers/paths.js';

for (const x of [[], ['-x']])
  test.serial(
    `a signal that is ignored ends no set-up, not the wait for the lock either: ${x[0] ?? 'via stays'}`,
    async (t) => {
      const lab = await makeLab(t, { servers: false });
      for (const signal of ['HUP', 'TERM', 'INT', 'QUIT'] as const)
        for (const whole of [true, false]) {
          const what = `${signal} to ${whole ? 'the group' : 'via'}`;
          const { left } = await leaving(lab, async () => {
            const holder = await holdLock(lab);
            const argv = [
              'sh',
              '-c',
              `trap '' ${signal}; exec "$@"`,
              'sh',
              viaBin,
              ...x,
              '10.0.2.1',
              '--',
              'echo',
              'ran',
            ];
            const running = lab.start('client', argv, { detached: true });
            await new Promise((resolve) => setTimeout(resolve, 400));
            process.kill(whole ? -running.pid : running.pid, `SIG${signal}`);
            await new Promise((resolve) => setTimeout(resolve, 200));
            holder.stdin.end();
            await holder.done;
            const { code, stdout, stderr } = await running.done;
            t.deepEqual([code, stdout, stderr], [0, 'ran\n', ''], what);
            await kept(lab);
          });
          t.deepEqual(left, [], what);
        }
    },
  );

for (const x of [[], ['-x']])
  test.serial(`any other ends it at once, and the command does not run: ${x[0] ?? 'via stays'}`, async (t) => {
    const lab = await makeLab(t, { servers: false });
    for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'] as const)
      for (const whole of [true, false]) {
        const what = `${signal} to ${whole ? 'the group' : 'via'}`;
        const { left } = await leaving(lab, async () => {
          const holder = await holdLock(lab);
          const argv = [viaBin, ...x, '10.0.2.1', '--', 'echo', 'ran'];
          const running = lab.start('client', argv, { detached: true });
          await new Promise((resolve) => setTimeout(resolve, 400));
          process.kill(whole ? -running.pid : running.pid, signal);
          // With -x, and a signal to the launcher alone, who prepares waits for the lock to undo what was done.
          if (x.length === 0 && signal !== 'SIGKILL') t.is((await running.done).signal, signal, what);
          holder.stdin.end();
          await holder.done;
          const { signal: ended, stdout, stderr } = await running.done;
          t.deepEqual([ended, stdout], [signal, ''], what);
          t.regex(stderr, /^(via: launcher [^\n]+\n)?$/, what);
          await kept(lab);
          // The directory is the lock holder's here.
          t.is((await lab.via(['sweep'])).stderr, '', what);
        });
        t.deepEqual(left, [], what);
      }
  });
