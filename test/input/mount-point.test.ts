import test from 'ava';
import { launchWords } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';

/** How a unit or a container gets a /run/via of its own. */
const mounts: Record<string, string> = {
  'a bind mount': 'mkdir -m 700 /run/via /run/other; mount --bind /run/other /run/via',
  'a file system of its own': 'mkdir -m 700 /run/via; mount -t tmpfs -o mode=700 tmpfs /run/via',
  'in a /run that is read-only': `
    mkdir -m 700 /run/via; mount --rbind /run /run; mount --bind /run/via /run/via; mount -o remount,ro,bind /run`,
};

for (const [what, script] of Object.entries(mounts))
  test.serial(`/run/via is a mount point, ${what}: it stays, and is empty`, async (t) => {
    const lab = await makeLab(t, { servers: false });
    await lab.sh('client', script);
    for (const words of [
      launchWords(['10.0.2.1', '--', 'echo', 'ran']),
      launchWords(['-x', '10.0.2.1', '--', 'echo', 'ran']),
      launchWords(['10.0.2.1', '--', 'sh', '-c', 'sleep 0.5; echo ran']),
      launchWords(['10.0.2.1', '--', 'sh', '-c', 'kill -9 $PPID; sleep 0.3; echo ran']),
      launchWords(['sweep']),
    ]) {
      const { result, left } = await leaving(lab, async () => {
        const ended = await lab.run('client', words);
        await kept(lab);
        return ended;
      });
      t.is(result.stderr, '', words.join(' '));
      t.deepEqual(left, [], words.join(' '));
      if (!words.includes('kill -9 $PPID; sleep 0.3; echo ran')) t.is(result.code, 0, words.join(' '));
      t.is(await lab.sh('client', 'ls -A /run/via'), '', words.join(' '));
    }
    // A launch that fails.
    const { result, left } = await leaving(lab, () => lab.via(['10.9.9.9', '--', 'echo', 'ran']));
    t.is(result.code, 125);
    t.regex(result.stderr, /^via: gateway 10\.9\.9\.9: [^\n]+\n$/);
    t.deepEqual(left, []);
  });
