import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving, quiet } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { holdLock } from '../helpers/lock.js';
import { refused } from '../helpers/refused.js';
import { hold } from '../helpers/runners.js';
import { watchTools, without } from '../helpers/tools.js';

/** How many calls of these tools an end needs that looks before it takes away, and one that need not. */
const looks = ['ip_-4_-N.2', 'nft_-f_-.2'];
const inOneGo = ['nft_-e_-f.1'];

/** What happens while the only user of the machine's only group runs its command, and how it ends then. */
const meanwhile: Record<string, { script: string; end: readonly string[] }> = {
  nothing: { script: ':', end: inOneGo },
  'somebody else joins, and leaves before': { script: `${viaBin} 10.0.2.1 -- true`, end: looks },
  'another group comes and goes': { script: `${viaBin} 10.0.1.3 -- true`, end: looks },
  'somebody sweeps, and finds nothing': { script: `${viaBin} sweep`, end: inOneGo },
  // By the sweep, or before it by the keeper.
  'a rule is deleted, which is made anew': {
    script: `ip rule del pref $(ip rule | sed -n 's/:.*fwmark.*//p'); ${viaBin} sweep`,
    end: looks.slice(0, 1),
  },
};

for (const [what, { script, end }] of Object.entries(meanwhile))
  test.serial(`the last one takes away what it made: ${what}`, async (t) => {
    const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
    const tools = await watchTools(lab);
    // A keeper that looks at the same moment may be quicker; then one looks oneself.
    for (let tries = 1; ; tries++) {
      const { result, left } = await leaving(lab, () =>
        tools.during('fail', 'no.1', () => lab.via(['10.0.2.1', '--', 'sh', '-ec', `${script}; echo ran`])),
      );
      const { code, stdout, stderr } = result.result;
      t.deepEqual([code, stdout, stderr, left], [0, 'ran\n', '', []]);
      const missing = end.filter((call) => !result.steps.includes(call));
      if (missing.length > 0 && tries < 3) continue;
      t.deepEqual(missing, [], result.steps.join(' '));
      break;
    }
  });

test.serial('where nft has no way to say that it is done, its end is waited for', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  const { result, left } = await leaving(lab, () =>
    lab.run('client', [...without('stdbuf'), viaBin, '10.0.2.1', '--', 'echo', 'ran']),
  );
  t.deepEqual([result.code, result.stdout, result.stderr, left], [0, 'ran\n', '', []]);
});

for (const [where, options] of Object.entries({ mounted: { netCls: 'mounted' }, "via's own": {} } as const))
  test.serial(
    `a via that sees another /run has a group in the same table, which stays: net_cls is ${where}`,
    async (t) => {
      const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 }, ...options });
      const { left } = await leaving(lab, async () => {
        const first = await hold(lab, '10.0.1.3');
        const apart = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs x /run; exec "$@"', 'apart'];
        const second = lab.start('client', [...apart, viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
        await second.waitFor(/in/);
        t.is((await first.release()).stderr, '');
        t.regex(await lab.sh('client', 'nft list table inet via'), /chain guard_\d+/);
        second.stdin.end();
        t.is((await second.done).stderr, '');
      });
      t.deepEqual(left, []);
    },
  );

test.serial('the shell that takes the lock is killed: no launch goes on without the lock', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const tools = await watchTools(lab);
  const { result, left } = await leaving(lab, () =>
    tools.during('sh kill -9 $PPID', 'flock_-n_3.1', () => lab.via(['10.0.2.1', '--', 'echo', 'ran'])),
  );
  refused(t, result.result, /^via: tools flock: stopped before they were done$/m);
  await quiet(lab);
  t.deepEqual(left, []);
});

test.serial('the same while somebody else has the lock, who keeps it', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const tools = await watchTools(lab);
  const { left } = await leaving(lab, async () => {
    const holder = await holdLock(lab);
    const { result } = await tools.during('sh kill -9 $PPID', 'flock_-n_3.1', () =>
      lab.via(['10.0.2.1', '--', 'echo', 'ran']),
    );
    refused(t, result, /^via: tools [\w, ]+: stopped before they were done$/m);
    t.is((await lab.sh('client', 'flock -n /run/via/lock true || echo held')).trim(), 'held');
    holder.stdin.end();
    await holder.done;
    await lab.sh('client', 'rm /run/via/lock; rmdir /run/via');
  });
  t.deepEqual(left, []);
});

test.serial('the lock was made a FIFO: nothing waits for a writer', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const fifo = 'rm /run/via/lock; mkfifo /run/via/lock; echo ran';
  const { result, left } = await leaving(lab, () => lab.via(['10.0.2.1', '--', 'sh', '-c', fifo], { timeout: 20_000 }));
  t.deepEqual([result.code, result.stdout, result.stderr, result.timedOut, left], [0, 'ran\n', '', false, []]);
});

test.serial('^C, again and again, at any moment: it ends, and nothing is left', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  for (let delay = 30; delay <= 150; delay += 6) {
    const { left } = await leaving(lab, async () => {
      const running = lab.start('client', [viaBin, '10.0.2.1', '--', 'sleep', '0.02'], { detached: true });
      await new Promise((resolve) => setTimeout(resolve, delay));
      for (let times = 0; times < 3; times++) {
        try {
          process.kill(-running.pid, 'SIGINT');
        } catch {
          break; // It has ended.
        }
        await new Promise((resolve) => setTimeout(resolve, 8));
      }
      await running.done;
      await quiet(lab);
    });
    t.deepEqual(left, [], `after ${delay} ms`);
  }
});

test.serial('a daemon that the command left stays in the group; then nothing is taken away', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const { left } = await leaving(lab, async () => {
    const { code, stdout } = await lab.via([
      '10.0.2.1',
      '--',
      'sh',
      '-c',
      'setsid sleep 300 >/dev/null 2>&1 & echo $!',
    ]);
    t.is(code, 0);
    t.regex(await lab.sh('client', 'nft list table inet via'), /chain guard/);
    await lab.sh('client', `kill ${stdout.trim()}`);
    await lab.via(['sweep']);
  });
  t.deepEqual(left, []);
});
