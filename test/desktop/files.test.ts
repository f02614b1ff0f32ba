import {
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
  statSync,
  existsSync,
  renameSync,
} from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { run } from '../helpers/exec.js';
import { makeHome, type Home } from '../helpers/desktop.js';
import { commandsOf, readByGlib } from '../helpers/glib.js';
import { refused } from '../helpers/refused.js';
import { viaBin } from '../helpers/paths.js';
import { tricky, useless } from './tricky.js';

const GATEWAY = '10.0.2.1';
const entry = (name: string, exec: string, more = ''): string =>
  `[Desktop Entry]\nType=Application\nName=${name}\nExec=${exec}\n${more}`;

/** via desktop works, says nothing on standard error, and prints these files of the user's own folder. */
async function writes(
  t: ExecutionContext,
  home: Home,
  words: readonly string[],
  files: readonly string[],
): Promise<void> {
  const { code, stdout, stderr } = await home.desktop(words);
  t.deepEqual([code, stderr], [0, '']);
  t.deepEqual(
    stdout.split('\n').slice(0, -1),
    files.map((name) => `${home.own}/${name}`),
  );
}

/** It refuses in one line, and no file of the user's is another one than before. */
async function fails(t: ExecutionContext, home: Home, words: readonly string[], line: RegExp, env = {}): Promise<void> {
  const before = home.files();
  refused(t, await home.desktop(words, env), line, words.join(' '));
  t.deepEqual(home.files(), before);
}

/** The words of the first command of a file, as GLib reads them. */
const argvIn = (path: string): readonly string[] | null | undefined =>
  commandsOf(readByGlib([readFileSync(path, 'latin1')])[0]!)[0];

test('an application is found by its id, its file or its name', async (t) => {
  const home = makeHome(t);
  home.put(`${home.system}/firefox.desktop`, entry('Firefox Web Browser', 'firefox %u', 'Name[de]=Netzfuchs\n'));
  home.put(`${home.system}/org.gnome.Maps.desktop`, entry('Maps', 'gnome-maps %U'));
  home.put(`${home.system}/kde4/foo-bar/baz.desktop`, entry('Baz', 'baz'));
  const other = home.put(`${home.folder}/else where/x y.desktop`, entry('Else', 'else'));
  const names: [string, string][] = [
    ['firefox', 'firefox'],
    ['firefox.desktop', 'firefox'],
    ['Firefox Web Browser', 'firefox'],
    ['netzfuchs', 'firefox'],
    [`${home.system}/firefox.desktop`, 'firefox'],
    ['org.gnome.Maps', 'org.gnome.Maps'],
    ['kde4-foo-bar-baz', 'kde4-foo-bar-baz'],
    [`${home.system}/kde4/foo-bar/baz.desktop`, 'kde4-foo-bar-baz'],
    ['./share/applications/kde4/foo-bar/baz.desktop', 'kde4-foo-bar-baz'],
    [other, 'x y'],
  ];
  for (const [name, id] of names) {
    const file = `${id}-via-${GATEWAY}.desktop`;
    await writes(t, home, [GATEWAY, name], [file]);
    t.deepEqual(home.files(), [file], name);
    await writes(t, home, ['--remove', GATEWAY, id], [file]);
    t.deepEqual(home.files(), []);
  }
  await writes(
    t,
    home,
    [GATEWAY, 'firefox', 'Maps', 'firefox'],
    [`firefox-via-${GATEWAY}.desktop`, `org.gnome.Maps-via-${GATEWAY}.desktop`],
  );
});

test('the folders are those of the XDG base directories, the first of an id counts', async (t) => {
  const home = makeHome(t);
  const late = `${home.folder}/late/applications`;
  home.put(`${home.system}/app.desktop`, entry('System', 'system'));
  home.put(`${late}/app.desktop`, entry('Late', 'late'));
  home.put(`${late}/more.desktop`, entry('More', 'more'));
  home.put(`${home.folder}/relative/applications/none.desktop`, entry('None', 'none'));
  const env = { XDG_DATA_DIRS: `relative:${home.folder}/share/:${home.folder}/late` };
  const file = `${home.own}/app-via-${GATEWAY}.desktop`;
  const exec = () => argvIn(file)?.at(-1);
  t.is((await home.desktop([GATEWAY, 'app', 'more'], env)).code, 0);
  t.is(exec(), 'system');
  home.put(`${home.own}/app.desktop`, entry('Own', 'own'));
  t.is((await home.desktop([GATEWAY, 'app'], env)).code, 0);
  t.is(exec(), 'own');
  await fails(t, home, [GATEWAY, 'none'], /^via: desktop entry "none": not found \(/, env);
  // Without them: below HOME, and /usr/local/share and /usr/share.
  for (const unset of [undefined, '', 'relative']) {
    const below = { XDG_DATA_HOME: unset, XDG_DATA_DIRS: unset === 'relative' ? env.XDG_DATA_DIRS : unset };
    home.put(`${home.folder}/.local/share/applications/mine.desktop`, entry('Mine', 'mine'));
    const { code, stdout } = await home.desktop([GATEWAY, 'mine'], below);
    t.deepEqual([code, stdout], [0, `${home.folder}/.local/share/applications/mine-via-${GATEWAY}.desktop\n`]);
    t.regex(
      (await home.desktop([GATEWAY, 'nnn'], { ...below, XDG_DATA_DIRS: '' })).stderr,
      /looked in \S+, \/usr\/local\/share\/applications, \/usr\/share\/applications\)$/m,
    );
  }
});

test('what cannot be found, or is none', async (t) => {
  const home = makeHome(t);
  home.put(`${home.system}/firefox.desktop`, entry('Firefox', 'firefox'));
  home.put(`${home.system}/a.desktop`, entry('Same', 'a'));
  home.put(`${home.system}/b.desktop`, entry('Same', 'b'));
  home.put(`${home.system}/c.desktop`, entry('Same', 'c', 'NoDisplay=true\n'));
  await fails(t, home, [GATEWAY, 'firefx'], /^via: desktop entry "firefx": not found \(did you mean firefox\?\)$/m);
  await fails(
    t,
    home,
    [GATEWAY, 'same'],
    /^via: desktop entry "same": more than one \(say which: a.desktop or b.desktop\)$/m,
  );
  await fails(
    t,
    home,
    [GATEWAY, './gone.desktop'],
    /^via: desktop entry \.\/gone\.desktop: no such file or directory$/m,
  );
  await fails(t, home, [GATEWAY, home.system], /: is no desktop entry$/m);
  await fails(t, home, [GATEWAY, '/dev/zero'], /: is no desktop entry$/m);
  const long = home.put(`${home.folder}/${'l'.repeat(240)}.desktop`, entry('Long', 'long'));
  await fails(t, home, [GATEWAY, 'firefox', long], /^via: desktop entry \S+: name too long$/m);
  for (const [text, says] of Object.values(useless)) {
    const path = home.put(`${home.folder}/useless.desktop`, text);
    await fails(t, home, [GATEWAY, 'firefox', path], new RegExp(says.source, 'm'));
  }
  t.false(existsSync(home.own), 'no folder was made');
});

test('words that make no sense', async (t) => {
  const home = makeHome(t);
  home.put(`${home.system}/app.desktop`, entry('App', 'app'));
  const bad: [string[], RegExp][] = [
    [[], /^via: gateway: missing \(usage: via desktop /],
    [[GATEWAY], /^via: application: missing \(usage: via desktop /],
    [['--remove'], /^via: application: missing /],
    [['--list', 'app'], /^via: desktop "app": one word too many/],
    [['--list', '--remove', 'app'], /^via: option --remove: does not go with --list/],
    [['--replace', '--remove', 'app'], /^via: option --remove: does not go with --replace/],
    [['10.0.2', 'app'], /^via: gateway "10\.0\.2": not an IPv4 address/],
    [['10.0.2.1;x', 'app'], /^via: gateway "10\.0\.2\.1;x": neither an address nor a device/],
    [['--user', 'ada', GATEWAY, 'app'], /^via: option --user: does not go with desktop/],
    [['--dry-run', GATEWAY, 'app'], /^via: option --dry-run: does not go with desktop/],
    [['-x', GATEWAY, 'app'], /^via: option --exec: does not go with desktop/],
    [['--no-lan', '--remove', 'app'], /^via: option --no-lan: does not go with desktop/],
    [['--replce', GATEWAY, 'app'], /^via: option "--replce": unknown \(did you mean --replace\?\)/],
    [['--remove', 'app'], /^via: desktop entry "app": via has written none of that name \(via desktop --list/],
  ];
  for (const [words, line] of bad) await fails(t, home, words, line);
});

test('the command: via by its link on PATH, the gateway, and the options that are not as always', async (t) => {
  const home = makeHome(t);
  home.put(`${home.system}/app.desktop`, entry('App', 'app %U'));
  const via = `${home.folder}/bin/via`;
  const rows: [string[], string, string[]][] = [
    [['10.0.2.1'], '10.0.2.1', ['-x', '10.0.2.1']],
    [
      ['--ipv6=allow', '--no-lan', '10.0.2.1', '--elevate', 'pkexec'],
      '10.0.2.1',
      ['--ipv6=allow', '--no-lan', '--elevate=pkexec', '-x', '10.0.2.1'],
    ],
    [
      ['--firewall=iptables', '--ipv4=refuse', '-q', 'fe80::1%eth1'],
      'fe80--1_eth1',
      ['--firewall=iptables', '--quiet', '-x', 'fe80::1%%eth1'],
    ],
    [['10.0.2.1,fe80::1%eth1'], '10.0.2.1+fe80--1_eth1', ['-x', '10.0.2.1,fe80::1%%eth1']],
    [['%eth1'], 'eth1', ['-x', '%%eth1']],
    [['--', 'status'], 'status', ['-x', '%%status']],
  ];
  for (const [words, suffix, command] of rows) {
    const file = `app-via-${suffix}.desktop`;
    await writes(t, home, [...words, 'app'], [file]);
    t.deepEqual(argvIn(`${home.own}/${file}`), [via, '--notify', ...command, '--', 'app', '%U']);
  }
  // By its own path where PATH has another one, and where no menu could start the link.
  t.is((await home.desktop(['10.0.2.1', 'app'], { PATH: process.env['PATH'] })).code, 0);
  t.is(argvIn(`${home.own}/app-via-10.0.2.1.desktop`)?.[0], viaBin);
  mkdirSync(`${home.folder}/a=b`);
  symlinkSync(viaBin, `${home.folder}/a=b/via`);
  t.is((await home.desktop(['10.0.2.1', 'app'], { PATH: `${home.folder}/a=b:${process.env['PATH']}` })).code, 0);
  t.is(argvIn(`${home.own}/app-via-10.0.2.1.desktop`)?.[0], viaBin);
  mkdirSync(`${home.folder}/a "b" $c`);
  symlinkSync(viaBin, `${home.folder}/a "b" $c/via`);
  t.is((await home.desktop(['10.0.2.1', 'app'], { PATH: `${home.folder}/a "b" $c:${process.env['PATH']}` })).code, 0);
  t.is(argvIn(`${home.own}/app-via-10.0.2.1.desktop`)?.[0], `${home.folder}/a "b" $c/via`);
});

test('--replace shadows the original, --remove takes it away again, --list prints both', async (t) => {
  const home = makeHome(t);
  const original = home.put(`${home.system}/sub/app.desktop`, entry('App', 'app %U'));
  const bytes = readFileSync(original);
  await writes(t, home, ['wg0', 'App'], ['sub-app-via-wg0.desktop']);
  await writes(t, home, ['--replace', '10.0.2.1', 'sub-app'], ['sub-app.desktop']);
  // Of the original again, not of its own copy.
  await writes(t, home, ['--replace', 'wg0', 'sub-app'], ['sub-app.desktop']);
  await writes(t, home, ['wg0', 'sub-app', '--no-lan'], ['sub-app-via-wg0.desktop']);
  t.deepEqual(argvIn(`${home.own}/sub-app.desktop`)?.slice(2), ['-x', 'wg0', '--', 'app', '%U']);
  t.deepEqual(argvIn(`${home.own}/sub-app-via-wg0.desktop`)?.slice(2), ['--no-lan', '-x', 'wg0', '--', 'app', '%U']);
  await writes(t, home, ['10.0.2.1', 'app.desktop'.replace('app', 'sub-app')], ['sub-app-via-10.0.2.1.desktop']);
  const list = await home.desktop(['--list']);
  t.is(
    list.stdout,
    'sub-app-via-10.0.2.1.desktop  10.0.2.1  App (via 10.0.2.1)\n' +
      'sub-app-via-wg0.desktop       wg0       App (via wg0)\n' +
      'sub-app.desktop               wg0       App (via wg0)\n',
  );
  await fails(t, home, [GATEWAY, `${home.own}/sub-app.desktop`], /: is via's own \(name the application\)$/m);
  await fails(
    t,
    home,
    ['--remove', 'wg0', 'sub-app', 'other'],
    /^via: desktop entry "other": via has written none of that name by wg0/m,
  );
  await fails(t, home, ['--remove', './sub-app.desktop'], /via has written none of that name/m);
  await writes(t, home, ['--remove', 'wg0', 'App'], ['sub-app-via-wg0.desktop', 'sub-app.desktop']);
  await writes(
    t,
    home,
    ['--remove', './data/applications/sub-app-via-10.0.2.1.desktop'],
    ['sub-app-via-10.0.2.1.desktop'],
  );
  t.deepEqual(home.files(), []);
  t.deepEqual(readFileSync(original), bytes);
  t.is((await home.desktop(['--list'])).stdout, '');
});

test("nobody else's file is overwritten or removed", async (t) => {
  const home = makeHome(t);
  home.put(`${home.system}/app.desktop`, entry('App', 'app'));
  home.put(`${home.system}/ok.desktop`, entry('Ok', 'ok'));
  const mine = home.put(`${home.own}/app.desktop`, entry('Mine', 'mine'));
  const taken = home.put(`${home.own}/ok-via-wg0.desktop`, entry('Taken', 'taken', '# X-Via-Gateway=wg0\n'));
  const texts = [mine, taken].map((path) => readFileSync(path, 'utf8'));
  await fails(t, home, ['--replace', 'wg0', 'ok', 'app'], /\/app\.desktop: is the user's own, and would be lost \(/m);
  await fails(
    t,
    home,
    ['--replace', 'wg0', `${home.system}/app.desktop`],
    /\/app\.desktop: is there already, and not via's \(/m,
  );
  await fails(t, home, ['wg0', 'app', 'ok'], /\/ok-via-wg0\.desktop: is there already, and not via's \(/m);
  await fails(t, home, ['--remove', 'ok-via-wg0'], /via has written none of that name/m);
  await fails(t, home, ['--remove', 'app'], /via has written none of that name/m);
  t.deepEqual(
    [mine, taken].map((path) => readFileSync(path, 'utf8')),
    texts,
  );
  // Nor what a link of that name leads to.
  const target = home.put(`${home.folder}/target`, entry('Link', 'link', 'X-Via-Gateway=wg0\n'));
  symlinkSync(target, `${home.own}/app-via-wg0.desktop`);
  await fails(t, home, ['wg0', 'app'], /\/app-via-wg0\.desktop: is there already, and not via's \(/m);
  await fails(t, home, ['--remove', 'app-via-wg0'], /via has written none of that name/m);
  t.regex(readFileSync(target, 'utf8'), /^Name=Link$/m);
});

test('all are written, or none, also where it cannot go on half way', async (t) => {
  const home = makeHome(t);
  for (const name of ['a', 'b', 'c']) home.put(`${home.system}/${name}.desktop`, entry(name.toUpperCase(), name));
  await writes(t, home, ['wg0', 'a'], ['a-via-wg0.desktop']);
  const before = readFileSync(`${home.own}/a-via-wg0.desktop`, 'utf8');
  // The third of them has no room: files may be so long, and no longer (ulimit counts half kilobytes in dash).
  home.put(`${home.system}/c.desktop`, entry('C', 'c', `Comment=${'x'.repeat(4000)}\n`));
  const limited = await run(
    ['sh', '-c', 'trap "" XFSZ; ulimit -f 4; exec "$@"', 'sh', viaBin, 'desktop', '--no-lan', 'wg0', 'a', 'b', 'c'],
    {
      env: home.env,
    },
  );
  refused(t, limited, /^via: desktop entry \S+: file too large$/m);
  t.deepEqual(home.files(), ['a-via-wg0.desktop']);
  t.is(readFileSync(`${home.own}/a-via-wg0.desktop`, 'utf8'), before);
  // A folder that was made for them goes again.
  const other = { XDG_DATA_HOME: `${home.folder}/new/er` };
  const again = await run(['sh', '-c', 'trap "" XFSZ; ulimit -f 4; exec "$@"', 'sh', viaBin, 'desktop', 'wg0', 'c'], {
    env: { ...home.env, ...other },
  });
  refused(t, again, /file too large$/m);
  t.false(existsSync(`${home.folder}/new`));
  t.is((await home.desktop(['wg0', 'a'], other)).code, 0);
  t.is(statSync(`${home.folder}/new/er/applications`).mode & 0o777, 0o700);
  t.is(statSync(`${home.folder}/new/er/applications/a-via-wg0.desktop`).mode & 0o777, 0o644);
  home.put(`${home.folder}/file`, '');
  await fails(t, home, ['wg0', 'a'], /^via: folder \S+: not a directory$/m, { XDG_DATA_HOME: `${home.folder}/file` });
});

test('the list of kinds of files is made anew where there is one', async (t) => {
  const home = makeHome(t);
  home.put(`${home.system}/app.desktop`, entry('App', 'app %U', 'MimeType=text/x-via;\n'));
  await writes(t, home, ['wg0', 'app'], ['app-via-wg0.desktop']);
  t.deepEqual(home.files(), ['app-via-wg0.desktop']);
  writeFileSync(`${home.own}/mimeinfo.cache`, '');
  await writes(t, home, ['wg0', 'app'], ['app-via-wg0.desktop']);
  t.regex(readFileSync(`${home.own}/mimeinfo.cache`, 'utf8'), /^text\/x-via=app-via-wg0\.desktop;$/m);
  await writes(t, home, ['--remove', 'app'], ['app-via-wg0.desktop']);
  t.notRegex(readFileSync(`${home.own}/mimeinfo.cache`, 'utf8'), /x-via/);
  // Where that fails, the entries are there all the same, and one line says so.
  home.program('update-desktop-database', 'echo no >&2; exit 3');
  const { code, stderr } = await home.desktop(['wg0', 'app']);
  t.deepEqual([code, stderr], [0, `via: update-desktop-database ${home.own}: no\n`]);
  renameSync(`${home.folder}/bin/update-desktop-database`, `${home.folder}/bin/gone`);
  const without = await home.desktop(['wg0', 'app'], { PATH: `${home.folder}/bin:${nodeOnly(home)}` });
  t.deepEqual([without.code, without.stderr], [0, '']);
});

/** A PATH on which nothing of this is installed. */
function nodeOnly(home: Home): string {
  const folder = `${home.folder}/node`;
  mkdirSync(folder);
  for (const name of ['readlink', 'cat', 'sh']) symlinkSync(`/bin/${name}`, `${folder}/${name}`);
  symlinkSync(process.execPath, `${folder}/node`);
  return folder;
}

test('desktop-file-validate has nothing to say of a copy that it does not say of the original', async (t) => {
  const home = makeHome(t);
  const complaints = async (path: string): Promise<string[]> => {
    const { stdout, stderr } = await run(['desktop-file-validate', path]);
    t.is(stderr, '');
    return stdout
      .split('\n')
      .map((line) => line.replace(/^\S+ /, '').replace(/(value|line) ".*" (for|starts)/, '$1 $2'));
  };
  let clean = 0;
  for (const text of Object.values(tricky)) {
    const path = home.put(`${home.system}/tricky.desktop`, text);
    const before = await complaints(path);
    const result = await home.desktop(['10.0.2.1%eth1', path]);
    t.deepEqual([result.code, /NoDisplay/.test(result.stderr)], [0, text.includes('NoDisplay')]);
    const after = await complaints(`${home.own}/tricky-via-10.0.2.1_eth1.desktop`);
    t.deepEqual(
      after.filter((line) => !before.includes(line)),
      [],
      text,
    );
    clean += after.join('') === '' ? 1 : 0;
  }
  t.true(clean >= 8, `${clean}`);
});

test('an entry in no menu is copied, and said to be in none', async (t) => {
  const home = makeHome(t);
  home.put(`${home.system}/silent.desktop`, tricky['in no menu']!);
  const { code, stdout, stderr } = await home.desktop(['wg0', 'silent']);
  t.deepEqual([code, stdout], [0, `${home.own}/silent-via-wg0.desktop\n`]);
  t.regex(stderr, /^via: desktop entry \S+silent\.desktop: is in no menu, [^\n]* \(NoDisplay=true\)\n$/);
});

test('a folder that is closed', async (t) => {
  const home = makeHome(t);
  const path = home.put(`${home.system}/app.desktop`, entry('App', 'app'));
  chmodSync(home.folder, 0o755);
  mkdirSync(home.own, { recursive: true });
  // As a user: for root nothing is closed.
  const secret = home.put(`${home.system}/secret.desktop`, entry('Secret', 'secret'));
  chmodSync(secret, 0o600);
  const unread = await run(
    ['setpriv', '--reuid=61234', '--regid=61234', '--clear-groups', viaBin, 'desktop', 'wg0', secret],
    { env: home.env },
  );
  refused(t, unread, /^via: desktop entry \S+secret\.desktop: permission denied$/m);
  const result = await run(
    ['setpriv', '--reuid=61234', '--regid=61234', '--clear-groups', viaBin, 'desktop', 'wg0', path],
    {
      env: home.env,
    },
  );
  refused(t, result, /^via: desktop entry \S+: permission denied$/m);
});
