import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';
import { addUsers, as, users } from '../helpers/user.js';

const uid = users.ada;

test.serial('--user: root runs the command as a user, with nothing of root’s', async (t) => {
  const lab = await makeLab(t);
  await addUsers(lab);
  const show = 'grep -e ^Uid -e ^Gid -e ^Groups -e ^Cap /proc/self/status; printenv HOME USER LOGNAME SHELL';
  const command = [
    'sh',
    '-c',
    `curl -sS -m 5 http://203.0.113.10/ | cut -d " " -f 1; ${show}; tr '\\0' '\\n' </proc/$$/environ; echo "$0 $1"`,
    "it's",
    'a=b',
  ];
  const root = `SUDO_USER=x SUDO_UID=7 MAIL=/var/mail/root XDG_RUNTIME_DIR=/run/user/0 DBUS_SESSION_BUS_ADDRESS=x SSH_AUTH_SOCK=/tmp/x KEPT=1 A.B=odd`;
  for (const options of [[], ['-x']]) {
    const { result, left } = await leaving(lab, async () => {
      const words = [...options, '--user', 'via-ada', '10.0.2.1', '--', ...command];
      const one = await lab.run('client', ['env', ...root.split(' '), viaBin, ...words]);
      await kept(lab);
      return one;
    });
    t.deepEqual([result.code, result.stderr], [0, '']);
    const four = (id: number) => `${id}\t${id}\t${id}\t${id}`;
    t.true(
      result.stdout.startsWith(
        `g2\nUid:\t${four(uid)}\nGid:\t${four(uid)}\nGroups:\t${uid} ${uid + 100} \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n`,
      ),
      result.stdout,
    );
    t.regex(result.stdout, /^CapAmb:\t0000000000000000\n\/run\/home\/via-ada\nvia-ada\nvia-ada\n\/bin\/sh\n/m);
    t.regex(result.stdout, /^KEPT=1$/m);
    t.regex(result.stdout, /^A\.B=odd$/m);
    t.notRegex(result.stdout, /^(SUDO_\w+|MAIL|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK)=/m);
    t.regex(result.stdout, /it's a=b\n$/);
    t.deepEqual(left, []);
  }
  const byNumber = await lab.via(['--user', `${uid}`, '10.0.2.1', '--', 'id', '-un']);
  t.is(byNumber.stdout, 'via-ada\n');
});

test.serial('--user: who is not there, and who may not; the command’s end is its own', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab);
  const echo = ['10.0.2.1', '--', 'echo', 'ran'];
  const { left } = await leaving(lab, async () => {
    for (const options of [[], ['-x']]) {
      const by = ['--user=via-ada', ...options];
      refused(t, await lab.via(['--user', 'nobody-here', ...options, ...echo]), /^via: user "nobody-here": not known/);
      refused(t, await lab.via(['--user=--help', ...options, ...echo]), /^via: user "--help": not known/);
      refused(t, await lab.run('client', [...as('ada'), viaBin, ...by, ...echo]), /^via: option --user: only root can/);
      t.is((await lab.via([...by, '10.0.2.1', '--', 'sh', '-c', 'exit 7'])).code, 7);
      t.is((await lab.via([...by, '10.0.2.1', '--', 'no-such-command'])).code, 127);
      t.is((await lab.via([...by, '10.0.2.1', '--', '/etc/passwd'])).code, 126);
    }
    await kept(lab);
  });
  t.deepEqual(left, []);
});
