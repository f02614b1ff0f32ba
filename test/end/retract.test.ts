import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
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
  'a rule is deleted, which a sweep makes anew': {
    script: `ip rule del pref $(ip rule | sed -n 's/:.*fwmark.*//p'); ${viaBin} sweep`,
    end: looks,
  },
};

for (const [what, { script, end }] of Object.entries(meanwhile))
  test.serial(`the last one takes away what it made: ${what}`, async (t) => {
    const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
    const tools = await watchTools(lab);
    const { result, left } = await leaving(lab, () =>
      tools.during('fail', 'no.1', () => lab.via(['10.0.2.1', '--', 'sh', '-ec', `${script}; echo ran`])),
    );
    const { code, stdout, stderr } = result.result;
    t.deepEqual([code, stdout, stderr, left], [0, 'ran\n', '', []]);
    const missing = end.filter((call) => !result.steps.includes(call));
    t.deepEqual(missing, [], result.steps.join(' '));
  });

test.serial('where nft has no way to say that it is done, its end is waited for', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  const { result, left } = await leaving(lab, () =>
    lab.run('client', [...without('stdbuf'), viaBin, '10.0.2.1', '--', 'echo', 'ran']),
  );
  t.deepEqual([result.code, result.stdout, result.stderr, left], [0, 'ran\n', '', []]);
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
