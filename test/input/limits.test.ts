import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { holdLock } from '../helpers/lock.js';
import { viaBin } from '../helpers/paths.js';

// i: signals that wait, timers among them; u: processes; l: locked memory; q: message queues; x: file locks;
// e, r: priorities.
for (const limit of ['i 0', 'u 0', 'l 0', 'q 0', 'x 0', 'c 0', 'e 0', 'r 0', 's 256', 'n 40'])
  for (const flag of ['', '-x'])
    test.serial(`a launch works, and leaves nothing, under ulimit -${limit} ${flag}`, async (t) => {
      const lab = await makeLab(t, { servers: false });
      // The kernel looks for a double of each address first, which a snapshot would show.
      await lab.sh('client', 'while ip -6 addr show tentative | grep -q .; do sleep 0.1; done');
      const words = `ulimit -${limit} && exec ${viaBin} ${flag} 10.0.2.1 -- echo ran`;
      const { result, left } = await leaving(lab, async () => {
        const launch = await lab.run('client', ['bash', '-c', words]);
        // With -x the keeper takes all away, about a second after the command's end.
        await lab.sh('client', 'n=0; while [ -e /run/via ] && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.1; done');
        return launch;
      });
      t.deepEqual([result.stdout, result.stderr, result.code, left], ['ran\n', '', 0, []]);
    });

test.serial('without room for a timer via waits for the lock all the same', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const holder = await holdLock(lab);
  const running = lab.start('client', ['bash', '-c', `ulimit -i 0 && exec ${viaBin} 10.0.2.1 -- echo ran`]);
  setTimeout(() => holder.stdin.end(), 1500);
  const result = await running.done;
  t.deepEqual([result.stdout, result.stderr, result.code], ['ran\n', '', 0]);
  t.true(result.ms > 1300, `${result.ms}`);
});
