import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { addUsers, users, viaAs } from '../helpers/user.js';

const curl = ['curl', '-sS', '-m', '5', 'http://203.0.113.10/'];

test.serial('a user runs a command by a gateway, as himself, and nothing is left', async (t) => {
  const lab = await makeLab(t);
  await addUsers(lab);
  for (const options of [[], ['-x']]) {
    const { result, left } = await leaving(lab, async () => {
      const one = await viaAs(lab, 'ada', [
        ...options,
        '10.0.2.1',
        '--',
        'sh',
        '-c',
        `${curl.join(' ')}; id -u; id -G`,
      ]);
      await kept(lab);
      return one;
    });
    t.deepEqual([result.code, result.stderr], [0, '']);
    t.regex(result.stdout, /^g2 10\.0\.2\.2 /);
    t.true(result.stdout.endsWith(`\n${users.ada}\n${users.ada} ${users.ada + 100}\n`), result.stdout);
    t.deepEqual(left, [], options.join());
  }
});
