import test from 'ava';
import { viaBin } from '../helpers/paths.js';
import { makeLab } from '../helpers/lab.js';
import { quiet, until } from '../helpers/left.js';
import { hold } from '../helpers/runners.js';

// A pipe holds 64 KB.
const many = `for i in $(seq 200); do echo "address add 172.16.$i.1/24 dev c1"; done | ip -batch -`;

test.serial('what bin/via reads ahead may be more than a pipe holds, also where nobody wants it', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh('client', many);
  const held = await hold(lab, '10.0.2.1');
  for (const words of [['10.0.2.1', '--', 'true'], ['10.0.1.3', '--', 'true'], ['none', '--', 'true'], ['--help']]) {
    const { code, stderr, timedOut } = await lab.via(words, { timeout: 5000 });
    t.deepEqual([code, stderr, timedOut], [0, '', false], words.join(' '));
  }
  const running = lab.start('client', [viaBin, 'none', '--', 'sh', '-c', 'read _']);
  // The two launches, the shells that they run, and nothing that waits for a reader.
  await until('only they run', () => new Set(lab.processes().map(({ pid }) => pid)).size === 4);
  running.stdin.end();
  await running.done;
  await held.release();
  await quiet(lab);
});

test.serial('what the loader of programs says of a library of the caller’s is no answer of a tool', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const held = await hold(lab, '10.0.2.1');
  for (const words of [['10.0.2.1'], ['-x', '10.0.2.1'], ['10.0.1.3']]) {
    // What was found in order before is read by another tool.
    await lab.sh('client', 'rm -f /run/via/intact-*');
    const { code, stderr } = await lab.via([...words, '--', 'true'], { env: { LD_PRELOAD: '/nowhere.so' } });
    t.deepEqual([code, stderr.replace(/^ERROR: ld\.so: .*\n/gm, '')], [0, ''], words.join(' '));
  }
  await held.release();
  await quiet(lab);
});
