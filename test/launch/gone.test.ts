import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { walk } from '../helpers/steps.js';

/** As a via does that sees another /run, and with it another lock, but the same groups. */
const take = 'rmdir /run/via/net_cls/via-*-* 2>/dev/null || :';

for (const x of [[], ['-x']])
  test.serial(
    `at any step somebody removes groups without members, and the command runs: ${x[0] ?? 'via stays'}`,
    async (t) => {
      const lab = await makeLab(t, { servers: false });
      const words = [...x, '10.0.2.1', '--', 'grep', '-c', 'net_cls[^:]*:/via-', '/proc/self/cgroup'];
      const { steps } = await walk(lab, words, 'nothing');
      await kept(lab);
      for (const [i, step] of steps.entries()) {
        const { left } = await leaving(lab, async () => {
          const { result } = await walk(lab, words, `run ${take}`, i + 1);
          t.deepEqual([result.code, result.stdout, result.stderr], [0, '1\n', ''], step);
          await kept(lab);
        });
        t.deepEqual(left, [], step);
      }
    },
  );

test.serial('at any step of attach the same, and the process is moved', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const moved = async (action: string, step: number) => {
    const sleeper = lab.start('client', ['sleep', '60']);
    const { result, steps } = await walk(lab, ['attach', '10.0.2.1', String(sleeper.pid)], action, step);
    const place = await lab.sh('client', `cat /proc/${sleeper.pid}/cgroup`);
    sleeper.kill();
    await sleeper.done;
    await kept(lab);
    return { result, steps, isIn: /net_cls[^:]*:.*\/via-/.test(place) };
  };
  const { steps } = await moved('nothing', 0);
  t.log(`${steps.length} steps`);
  for (const [i, step] of steps.entries()) {
    const { left } = await leaving(lab, async () => {
      const { result, isIn } = await moved(`run ${take}`, i + 1);
      t.deepEqual([result.code, result.stderr, isIn], [0, '', true], step);
    });
    t.deepEqual(left, [], step);
  }
});
