import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { holdLock } from '../helpers/lock.js';
import { refused } from '../helpers/refused.js';

test.serial('the lock is held for too long', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const holder = await holdLock(lab);
  const { result, left } = await leaving(lab, () => lab.via(['10.0.2.1', '--', 'echo', 'ran'], { timeout: 60_000 }));
  refused(t, result, /^via: lock \/run\/via\/lock: held by another process for 30 s \(try again\)$/m);
  t.true(result.ms > 29_000 && result.ms < 40_000, `${result.ms}`);
  t.deepEqual(left, []);
  holder.stdin.end();
});
