import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { holdLock } from '../helpers/lock.js';
import { viaBin } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';

test.serial('a command that via cannot become: nothing is made for it', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await lab.sh('client', `printf '#!/no/such/shell\\n' >/run/lost; chmod +x /run/lost`);
  for (const [command, code, why] of [
    ['no-such-command', 127, 'not found'],
    ['/etc', 126, 'permission denied'],
    ['/run/lost', 126, 'its interpreter is not there'],
  ] as const) {
    const { result, left } = await leaving(lab, () => lab.via(['-x', '10.0.2.1', '--', command]));
    t.deepEqual([result.code, result.stdout, left], [code, '', []]);
    t.is(result.stderr, `via: command "${command}": ${why}\n`);
    t.is(lab.keepers().length, 0);
  }
});

test.serial('too little of something, with -x: one line, and nothing is left', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const around = (script: string) =>
    leaving(lab, () => lab.run('client', ['sh', '-c', script, 'sh', viaBin, '-x', '10.0.2.1', '--', 'echo', 'ran']));
  const small = await around('ulimit -f 0; "$@"');
  refused(t, small.result, /^via: file \/run\/via\/group-\S+: file too large/m);
  t.deepEqual(small.left, []);
  // A /run of its own with room for so many files, the directory itself among them.
  const outcomes: string[] = [];
  for (let files = 2; outcomes.at(-1) !== 'ran'; files++) {
    const { result, left } = await around(
      `mount -t tmpfs -o nr_inodes=${files},mode=755 x /run; "$@"; n=0
       while [ -e /run/via ] && [ $((n += 1)) -lt 100 ]; do sleep 0.1; done; ls -A /run; umount /run`,
    );
    if (result.stdout !== 'ran\n') t.deepEqual([result.stdout, left], ['', []], `${files} files`);
    if (result.stdout !== 'ran\n')
      t.regex(result.stderr, /^via: [^\n]*(no space left on device|cannot be started)[^\n]*\n$/);
    outcomes.push(result.stdout === 'ran\n' ? 'ran' : result.stderr);
  }
  t.log(outcomes.join(''));
  t.true(outcomes.length > 3);
});

/** What the keeper has said to the system's log. */
const log = (lab: Lab): Promise<string> => lab.sh('client', 'cat /run/log 2>/dev/null || :');

test.serial('what a keeper cannot do it tells the log, and tries again', async (t) => {
  const lab = await makeLab(t, { servers: false });
  // A tool that fails, and somebody who reads the log, in a mount namespace that the keeper has too.
  const script = `printf '#!/bin/sh\\necho "$@" >>/run/log\\n' >/run/logger
    printf '#!/bin/sh\\n[ ! -e /run/broken ] || { echo out of order >&2; exit 1; }\\nexec /run/real-nft "$@"\\n' >/run/nft
    chmod +x /run/nft /run/logger
    cp "$(command -v nft)" /run/real-nft
    mount --bind /run/logger "$(command -v logger)"
    mount --bind /run/nft "$(readlink -f "$(command -v nft)")"`;
  const { left } = await leaving(lab, async () => {
    await lab.sh('client', script);
    const running = lab.start('client', [viaBin, '-x', '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
    await running.waitFor(/in/);
    await lab.sh('client', 'touch /run/broken');
    running.stdin.end();
    const { stdout, stderr } = await running.done;
    t.deepEqual([stdout, stderr], ['in\n', '']);
    await until('the log has a line', async () => (await log(lab)) !== '');
    t.regex(await log(lab), /^-t via -p daemon.err -- keeper: via: firewall nft: out of order\n/);
    t.is(lab.keepers().length, 1);
    await lab.sh('client', 'rm /run/broken');
    await kept(lab);
    await lab.sh(
      'client',
      'umount "$(command -v logger)" "$(readlink -f "$(command -v nft)")"; rm /run/log /run/logger /run/nft /run/real-nft',
    );
  });
  t.deepEqual(left, []);
});

test.serial('the launcher ends while the set-up waits: the command does not run, and nothing is left', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGKILL', 'SIGINT'] as const) {
    const { left } = await leaving(lab, async () => {
      await lab.sh('client', 'mkdir -m 700 /run/via');
      const holder = await holdLock(lab);
      const running = lab.start('client', [viaBin, '-x', '10.0.2.1', '--', 'touch', '/run/ran']);
      await until('it waits for the lock', () =>
        lab.processes().some(({ argv }) => argv[0] === 'flock' && argv[1] === '-w'),
      );
      running.kill(signal);
      await until('the launcher is gone', () => !lab.processes().some(({ pid }) => pid === running.pid));
      holder.stdin.end();
      await holder.done;
      t.is((await running.done).signal, signal);
      await until('nothing runs', () => lab.processes().length === 0, 20_000);
      await kept(lab);
      await lab.sh('client', 'rm -f /run/via/lock; [ ! -d /run/via ] || rmdir /run/via');
    });
    t.deepEqual(left, [], signal);
  }
});
