import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';

const self = `"${viaBin}" status self; echo $?`;

test.serial('status self: the gateway inside, as it was typed, and 0; nothing outside, and 1', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const outside = await lab.via(['status', 'self']);
    t.deepEqual([outside.code, outside.stdout, outside.stderr], [1, '', '']);
    for (const gateway of ['10.0.2.1', '10.0.2.1%c2', '10.0.2.1,fe80::2:1%c2']) {
      const { stdout, stderr } = await lab.via([
        gateway,
        '--',
        'sh',
        '-c',
        `"${viaBin}" none -- ${viaBin} status self; ${self}`,
      ]);
      t.deepEqual([stdout, stderr], [`${gateway}\n0\n`, ''], gateway);
    }
    const nested = await lab.via(['10.0.2.1', '--', viaBin, '10.0.1.3', '--', viaBin, 'status', 'self']);
    t.is(nested.stdout, '10.0.1.3\n');
  });
  t.deepEqual(left, []);
});

test.serial('status self without root, and where the record is gone: that it is inside', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const user = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
  const script = `${user} ${self}; rm /run/via/group-*; ${self}`;
  const { stdout, stderr } = await lab.via(['10.0.2.1', '--', 'sh', '-c', script]);
  t.regex(stdout, /^(via-[\da-f-]{36})\n0\n\1\n0\n$/);
  t.is(stderr, '');
  t.is((await lab.run('client', ['sh', '-c', `${user} ${self}`])).stdout, '1\n');
});

test.serial('status self starts no process', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const start = viaBin.replace(/via$/, 'start.cjs');
  const trace = 'strace -f -qq -e trace=execve,vfork,fork -o /run/trace';
  const command = `${trace} ${process.execPath} ${start} status self; grep -c 'exec\\|fork' /run/trace; rm /run/trace`;
  const { stdout, stderr } = await lab.via(['10.0.2.1', '--', 'sh', '-c', command]);
  t.deepEqual([stdout, stderr], ['10.0.2.1\n1\n', '']);
});
