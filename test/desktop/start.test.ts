import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import test from 'ava';
import { makeHome, type Home } from '../helpers/desktop.js';
import { run } from '../helpers/exec.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { fixture, python, viaBin } from '../helpers/paths.js';
import { startPolkit } from '../helpers/polkit.js';
import { addUsers, as, users } from '../helpers/user.js';

/** An entry whose application asks the server behind the gateways who it is, into a file. */
const asking = (home: Home): string => `[Desktop Entry]
Type=Application
Name=Ask
Exec=curl -sS -m 5 -o "${home.folder}/out/main %%" %u
Actions=act;

[Desktop Action act]
Name=Act
Exec=sh -c "exec curl -sS -m 5 -o ${home.folder}/out/action http://203.0.113.10/"
`;

const URL = 'http://203.0.113.10/';

/** Has GLib start an entry, as a menu does. */
async function start(
  lab: Lab,
  home: Home,
  words: readonly string[],
  env = {},
  by: readonly string[] = [],
): Promise<void> {
  const { code, stderr } = await lab.run('client', [...by, ...python, fixture('glib.py'), 'start', ...words], {
    env: { ...home.env, DISPLAY: undefined, WAYLAND_DISPLAY: undefined, ...env },
    detached: true,
  });
  if (code !== 0) throw new Error(stderr);
}

const text = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** notify-send as it would be called, in a home's file `shown`: its words, and an empty line. */
const watchNotes = (home: Home): string =>
  home.program('notify-send', `{ printf '%s\\n' "$@"; echo; } >>${home.folder}/out/shown`);

function homeWith(t: Parameters<typeof makeHome>[0]): Home {
  const home = makeHome(t);
  mkdirSync(`${home.folder}/out`);
  chmodSync(`${home.folder}/out`, 0o777);
  home.put(`${home.system}/ask.desktop`, asking(home));
  return home;
}

test.serial('an application and its action, started by GLib, leave by the gateway of the entry', async (t) => {
  const lab = await makeLab(t);
  const home = homeWith(t);
  watchNotes(home);
  t.is((await home.desktop(['10.0.2.1', 'ask'])).code, 0);
  t.is((await home.desktop(['--replace', 'fe80::2:1%c2', '--ipv4=allow', 'ask'])).code, 0);
  const { left } = await leaving(lab, async () => {
    const copy = `${home.own}/ask-via-10.0.2.1.desktop`;
    await start(lab, home, [copy, URL]);
    await until('the application has asked', () => text(`${home.folder}/out/main %`) !== '');
    t.regex(text(`${home.folder}/out/main %`), /^g2 10\.0\.2\.2 /);
    await start(lab, home, [copy, '--action', 'act']);
    await until('its action has asked', () => text(`${home.folder}/out/action`) !== '');
    t.regex(text(`${home.folder}/out/action`), /^g2 10\.0\.2\.2 /);
    await start(lab, home, [`${home.own}/ask.desktop`, 'http://[2001:db8:113::10]/']);
    await until('by IPv6 too', () => text(`${home.folder}/out/main %`).startsWith('g2 fd02::2 '));
    await kept(lab);
  });
  t.deepEqual(left, []);
  t.is(text(`${home.folder}/out/shown`), '');
});

test.serial('what fails is shown on the desktop, and what is handed over', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const home = homeWith(t);
  const shown = `${home.folder}/out/shown`;
  const words = ['--icon=dialog-error', '--'];
  watchNotes(home);
  t.is((await home.desktop(['10.0.9.1', 'ask'])).code, 0);
  const copy = `${home.own}/ask-via-10.0.9.1.desktop`;
  for (const env of [{ DISPLAY: ':7' }, { WAYLAND_DISPLAY: 'wayland-0' }]) {
    await start(lab, home, [copy, URL], env);
    await until('it is shown', () => text(shown).endsWith('\n\n'));
    const lines = text(shown).split('\n');
    t.deepEqual(lines.slice(0, 3), [...words, 'via: not started']);
    t.regex(lines[3]!, /^gateway 10\.0\.9\.1: not on-link \(/);
    await lab.sh('client', `rm ${shown}`);
  }
  const via = (argv: string[], env = {}) =>
    lab.run('client', [viaBin, ...argv], { env: { ...home.env, DISPLAY: ':7', ...env } });
  // What might be read as markup.
  t.is((await via(['--notify', '-x', 'fe80::2:1', '--', 'echo'])).code, 125);
  t.is(
    text(shown),
    `${[...words, 'via: not started', 'gateway "fe80::2:1": a link-local address needs its device (fe80::2:1%&lt;device&gt;)'].join('\n')}\n\n`,
  );
  // Where the options cannot be read, where the command is not there, and without -x.
  for (const argv of [
    ['--notify', '--bogus'],
    ['--notify', '-x', '10.0.2.1', '--', 'no-such-program'],
    ['-q', '--notify', '10.0.9.1', 'echo'],
  ]) {
    await lab.sh('client', `rm ${shown}`);
    const { code, stderr } = await via(argv);
    t.is(code, argv.includes('no-such-program') ? 127 : 125);
    t.is(text(shown).split('\n')[3], stderr.trimEnd().replace('via: ', ''));
  }
  await lab.sh('client', `rm ${shown}`);
  // Nobody asked for it, nobody could see it, or it cannot be shown: the line on standard error, and no more.
  for (const [argv, env] of [
    [['-x', '10.0.9.1', '--', 'echo'], {}],
    [['--notify', '-x', '10.0.9.1', '--', 'echo'], { DISPLAY: undefined }],
    [['--notify', '-x', '10.0.9.1', '--', 'echo'], { PATH: process.env['PATH'] }],
  ] as const) {
    const { code, stderr } = await via([...argv], env);
    t.is(code, 125);
    t.regex(stderr, /^via: gateway 10\.0\.9\.1: not on-link [^\n]*\n$/);
  }
  t.is(text(shown), '');
  // docker's daemon starts it elsewhere: said, and started.
  home.program('docker', 'echo "$@"');
  const { code, stdout, stderr } = await via(['--notify', '-x', '10.0.2.1', '--', 'docker', 'run']);
  t.deepEqual([code, stdout], [0, 'run\n']);
  t.regex(stderr, /^via: command docker: has its daemon start /);
  t.deepEqual(text(shown).split('\n').slice(2, 4), [
    'via',
    stderr.trimEnd().replace('via: ', '').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  ]);
  await kept(lab);
});

test('a menu on whose PATH there is no Node, or one that is too old', async (t) => {
  const home = homeWith(t);
  const shown = `${home.folder}/out/shown`;
  const folder = `${home.folder}/little`;
  mkdirSync(folder);
  for (const name of ['sh', 'readlink']) symlinkSync(`/bin/${name}`, `${folder}/${name}`);
  symlinkSync(watchNotes(home), `${folder}/notify-send`);
  const env = { ...home.env, PATH: folder, DISPLAY: ':7' };
  const one = await run([viaBin, '--notify', '-x', '10.0.2.1', '--', 'sh'], { env });
  t.deepEqual([one.code, one.stderr], [125, 'via: node: not found (install Node 20.19 or newer)\n']);
  t.deepEqual(text(shown).split('\n').slice(-4, -2), [
    'via: not started',
    'node: not found (install Node 20.19 or newer)',
  ]);
  // Which says it is 18.
  const fake = home.put(
    `${home.folder}/fake.cjs`,
    "Object.defineProperty(process.versions, 'node', { value: '18.1.0' });",
  );
  home.put(`${folder}/node`, `#!/bin/sh\nexec ${process.execPath} -r ${fake} "$@"\n`);
  chmodSync(`${folder}/node`, 0o755);
  const old = await run([viaBin, '--notify', '10.0.2.1', '--', 'sh'], { env });
  t.deepEqual([old.code, old.stderr], [125, 'via: node: version 18.1.0 is too old (20.19 or newer is needed)\n']);
  t.deepEqual(text(shown).split('\n').slice(-3, -2), ['node: version 18.1.0 is too old (20.19 or newer is needed)']);
  const before = text(shown);
  t.is((await run([viaBin, '-x', '10.0.2.1', '--', 'sh'], { env })).code, 125);
  t.is(text(shown), before);
});

test.serial('from a menu of a user: pkexec is asked, and what it refuses is shown', async (t) => {
  const lab = await makeLab(t);
  const home = homeWith(t);
  watchNotes(home);
  await addUsers(lab, []);
  await startPolkit(lab);
  await lab.sh('client', `chown -R ${users.ada}:${users.ada} ${home.folder}`);
  const env = { ...home.env, DISPLAY: ':7' };
  const written = await lab.run('client', [...as('ada'), `HOME=${home.folder}`, viaBin, 'desktop', '10.0.2.1', 'ask'], {
    env,
  });
  t.deepEqual([written.code, written.stderr], [0, '']);
  await lab.sh('client', `chmod 755 ${home.folder}/data ${home.own}; chmod 777 ${home.folder}/out`);
  const copy = `${home.own}/ask-via-10.0.2.1.desktop`;
  const { left } = await leaving(lab, async () => {
    await start(lab, home, [copy, URL], { DISPLAY: ':7' }, as('ada'));
    await until('the application has asked', () => text(`${home.folder}/out/main %`) !== '', 10_000);
    t.regex(text(`${home.folder}/out/main %`), /^g2 10\.0\.2\.2 /);
    t.is(await lab.sh('client', `stat -c %u '${home.folder}/out/main %'`), `${users.ada}\n`);
    await kept(lab);
  });
  t.deepEqual(left, []);
  await lab.sh('client', `rm '${home.folder}/out/main %'`);
  await start(lab, home, [copy, URL], { DISPLAY: ':7' }, as('bob'));
  await until('it is shown', () => text(`${home.folder}/out/shown`).endsWith('\n\n'), 10_000);
  t.regex(text(`${home.folder}/out/shown`), /\nvia: not started\nelevation pkexec: .*[Nn]ot authorized/);
  t.false(existsSync(`${home.folder}/out/main %`));
});
