import test, { type ExecutionContext } from 'ava';
import { launchWords } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { refuses } from '../helpers/refused.js';
import { hold } from '../helpers/runners.js';

const launch = ['10.0.2.1', '--', 'echo', 'ran'];
const uuid = '01234567-89ab-4cde-8f01-23456789abcd';
/** A network namespace that is gone. */
const gone = '4026999999';
const number = `N=$(readlink /proc/self/ns/net | tr -dc 0-9); mkdir -pm 700 /run/via;`;

/** The files that a launch makes or removes, by their names; and whether a directory in their place is in its way. */
const files: { name: string; inTheWay: boolean }[] = [
  { name: 'lock', inTheWay: true },
  { name: 'keeper-$N', inTheWay: true },
  { name: 'sysctl-$N-c2', inTheWay: true },
  { name: 'mends-$N', inTheWay: false },
  { name: `keeper-${gone}`, inTheWay: false },
  { name: `mends-${gone}`, inTheWay: false },
  ...['intact', 'state', 'news'].map((kind) => ({ name: `${kind}-${uuid}`, inTheWay: false })),
  { name: `news-${uuid}.first`, inTheWay: false },
  { name: `group-${uuid}`, inTheWay: false },
];

/** A launch and a sweep do as if it were not there. */
async function works(t: ExecutionContext, lab: Lab, what: string): Promise<void> {
  for (const words of [launchWords(launch), launchWords(['-x', ...launch]), launchWords(['sweep'])]) {
    const { code, stderr } = await lab.run('client', words);
    t.deepEqual([code, stderr], [0, ''], `${what}: ${words.join(' ')}`);
    await kept(lab);
  }
}

const lab = (t: ExecutionContext): Promise<Lab> => makeLab(t, { servers: false, rpFilter: { c2: 1 } });

test.serial('an empty directory in the place of a file of via', async (t) => {
  const here = await lab(t);
  for (const { name } of files) {
    await here.sh('client', `${number} mkdir "/run/via/${name}"`);
    await works(t, here, name);
    await here.sh('client', 'rm -rf /run/via');
  }
});

test.serial('a directory with something in it, in the place of a file of via', async (t) => {
  const here = await lab(t);
  for (const { name, inTheWay } of files) {
    await here.sh('client', `${number} mkdir -p "/run/via/${name}/mine"`);
    if (inTheWay) {
      const at = name.replace('$N', '\\d+');
      const line = new RegExp(`^via: directory /run/via/${at}: in the place of a file of via \\(remove it\\)$`, 'm');
      await refuses(t, here, launch, line, { what: name });
    } else {
      const { left } = await leaving(here, () => works(t, here, name));
      t.deepEqual(left, [], name);
    }
    await here.sh('client', 'rm -r /run/via');
  }
});

test.serial('a directory in the place of a file of a group that is used', async (t) => {
  const here = await lab(t);
  for (const within of ['', '/mine'])
    // Without the record of a setting, its old value is not known.
    for (const kind of ['lock', 'keeper-*', 'group-*', 'intact-*']) {
      const { left } = await leaving(here, async () => {
        const member = await hold(here, '10.0.2.1');
        t.is((await here.via(launch)).stderr, '', kind);
        const replace = `cd /run/via; for file in ${kind}; do rm -f $file; mkdir -p "$file${within}"; done`;
        await here.sh('client', replace);
        const { code, stderr } = await here.via(launch);
        if (code !== 0)
          t.regex(stderr, /^via: directory \/run\/via\/\S+: in the place of a file of via \(remove it\)$/m);
        if (within === '') t.is(code, 0, `${kind}: ${stderr}`);
        await member.release();
        await here.sh('client', 'rm -rf /run/via/*/mine; rmdir /run/via/* 2>/dev/null || :');
        t.is((await here.via(['sweep'])).stderr, '', kind);
        await kept(here);
      });
      t.deepEqual(left, [], `${kind}${within}`);
    }
});

test.serial('something in the place of the mount point', async (t) => {
  const here = await lab(t);
  const line = /^via: file \/run\/via\/net_cls: in the place of a directory of via \(remove it\)$/m;
  for (const script of [
    'echo mine >/run/via/net_cls',
    'mkdir /run/elsewhere; ln -s /run/elsewhere /run/via/net_cls',
    'ln -s /nowhere /run/via/net_cls',
  ]) {
    await here.sh('client', `mkdir -m 700 /run/via; ${script}`);
    await refuses(t, here, launch, line, { what: script });
    await here.sh('client', 'rm -r /run/via');
  }
  await here.sh('client', 'mkdir -m 700 /run/via; : >/run/via/net_cls');
  await works(t, here, 'an empty file');
});
