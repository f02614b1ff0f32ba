import test from 'ava';
import { classic } from '../helpers/classic.js';
import { makeLab } from '../helpers/lab.js';
import { leaving, until } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';

/** How the command ends: [words, code, signal]. */
const endings: Record<string, [string[], number | null, string | null]> = {
  'it succeeds': [['true'], 0, null],
  'it fails': [['sh', '-c', 'exit 3'], 3, null],
  'it is not found': [['/nowhere/at-all'], 127, null],
  'it cannot be run': [['/etc/passwd'], 126, null],
  'it dies by SIGTERM': [['sh', '-c', 'kill -TERM $$'], null, 'SIGTERM'],
  'it dies by SIGKILL': [['sh', '-c', 'kill -KILL $$'], null, 'SIGKILL'],
  'it leaves a child that ends at once': [['sh', '-c', 'true & exit 4'], 4, null],
};

test.serial('whichever way the command ends, nothing is left', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const [how, [argv, code, signal]] of Object.entries(endings)) {
    const { result, left } = await leaving(lab, async () => {
      const ended = await lab.via(['10.0.2.1', '--', ...argv]);
      // A child that outlives the command by a moment may also outlive via; the next one sweeps.
      if (how.includes('child')) await lab.via(['sweep']);
      return ended;
    });
    t.deepEqual([result.code, result.signal], [code, signal], how);
    t.is(result.stderr === '', code !== 126 && code !== 127, how);
    t.deepEqual(left, [], how);
  }
});

test.serial('a signal to via ends the command, and nothing is left', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) {
    const { left } = await leaving(lab, async () => {
      const running = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; exec sleep 60']);
      await running.waitFor(/in/);
      running.kill(signal);
      t.is((await running.done).signal, signal);
    });
    t.deepEqual(left, [], signal);
    await until('nothing runs', () => lab.processes().length === 0);
  }
});

test.serial('the classic recipe leaves a rule, a route, a firewall rule, a mount and a group', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { result, left } = await leaving(lab, () => classic(lab, 'g2', ['true']));
  t.is(result.code, 0);
  for (const part of ['rules', 'routes', 'iptables', 'mounts', 'cgroups'])
    t.true(
      left.some((line) => line.startsWith(`${part} + `)),
      part,
    );
});
