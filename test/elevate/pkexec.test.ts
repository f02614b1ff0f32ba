import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { startPolkit } from '../helpers/polkit.js';
import { refused } from '../helpers/refused.js';
import { addUsers, users, viaAs } from '../helpers/user.js';

const graphical = { env: { DISPLAY: ':7' } };

test.serial('pkexec, in a graphical session without a terminal, where a rule allows it', async (t) => {
  const lab = await makeLab(t);
  await addUsers(lab, []);
  await startPolkit(lab);
  const { result, left } = await leaving(lab, async () => {
    const command = ['sh', '-c', 'curl -sS -m 5 http://203.0.113.10/; id -u; echo $DISPLAY'];
    const one = await viaAs(lab, 'ada', ['10.0.2.1', '--', ...command], graphical);
    await kept(lab);
    return one;
  });
  t.deepEqual([result.code, result.stderr], [0, '']);
  t.regex(result.stdout, new RegExp(`^g2 10\\.0\\.2\\.2 .*\\n${users.ada}\\n:7\\n$`));
  t.deepEqual(left, []);
  refused(
    t,
    await viaAs(lab, 'bob', ['10.0.2.1', '--', 'echo', 'ran'], graphical),
    /^via: elevation pkexec: .*[Nn]ot authorized/,
  );
  refused(
    t,
    await viaAs(lab, 'bob', ['--elevate=sudo', '10.0.2.1', '--', 'echo', 'ran'], graphical),
    /^via: elevation sudo: /,
  );
});

test.serial('no daemon to ask', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab, []);
  refused(
    t,
    await viaAs(lab, 'ada', ['--elevate', 'pkexec', '10.0.2.1', '--', 'echo', 'ran']),
    /^via: elevation pkexec: /,
  );
});
