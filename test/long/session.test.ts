import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { makeHome, type Home } from '../helpers/desktop.js';
import type { Running } from '../helpers/exec.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { python } from '../helpers/paths.js';

interface Session {
  readonly lab: Lab;
  readonly home: Home;
  readonly env: Record<string, string | undefined>;
}

/** A graphical session of the lab's own: a display that nobody sees, and a bus. */
async function makeSession(t: ExecutionContext): Promise<Session> {
  const lab = await makeLab(t);
  const home = makeHome(t);
  mkdirSync(`${home.folder}/out`);
  const serve = (argv: string[], env = {}) =>
    lab.own(lab.start('client', argv, { detached: true, env: { ...home.env, ...env } }));
  const display = serve(['Xvfb', '-displayfd', '1', '-nolisten', 'tcp', '-screen', '0', '800x600x24']);
  const [, number] = await display.waitFor(/^(\d+)\n/, { timeout: 20_000 });
  // Ended by itself, it takes its socket and its lock in /tmp along.
  t.teardown(async () => {
    display.kill();
    await display.done;
  });
  const bus = serve(['dbus-daemon', '--session', '--nofork', '--nopidfile', '--print-address=1']);
  const [address] = await bus.waitFor(/unix:\S+/);
  const env = {
    ...home.env,
    // For Chromium, which leaves something there.
    TMPDIR: home.folder,
    XDG_DATA_DIRS: `${home.folder}/share:/usr/local/share:/usr/share`,
    DISPLAY: `:${number}`,
    DBUS_SESSION_BUS_ADDRESS: address,
  };
  return { lab, home, env };
}

/** Has GTK start an entry by its id, as a menu does. */
async function gtkLaunch({ lab, env }: Session, words: readonly string[], more = {}): Promise<void> {
  const { code, stderr } = await lab.run('client', ['gtk-launch', ...words], {
    env: { ...env, ...more },
    detached: true,
  });
  if (code !== 0) throw new Error(stderr);
}

const text = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

test.serial('GTK starts an entry by its id, and the one in whose place it is', async (t) => {
  const session = await makeSession(t);
  const { lab, home } = session;
  const out = `${home.folder}/out/answer`;
  home.put(
    `${home.system}/sub/ask.desktop`,
    `[Desktop Entry]\nType=Application\nName=Ask\nExec=curl -sS -m 5 -o ${out} %u\n`,
  );
  const { left } = await leaving(lab, async () => {
    for (const [words, id] of [
      [['10.0.2.1'], 'sub-ask-via-10.0.2.1'],
      [['--replace', '10.0.2.1'], 'sub-ask'],
    ] as const) {
      t.is((await home.desktop([...words, 'sub-ask'])).code, 0);
      await gtkLaunch(session, [id, 'http://203.0.113.10/']);
      await until('it has asked', () => text(out) !== '');
      t.regex(text(out), /^g2 10\.0\.2\.2 /, id);
      await lab.sh('client', `rm ${out}`);
      t.is((await home.desktop(['--remove', 'sub-ask'])).code, 0);
    }
    // The original is what it was.
    await gtkLaunch(session, ['sub-ask', 'http://203.0.113.10/']);
    await until('it has asked', () => text(out) !== '');
    t.regex(text(out), /^g1 10\.0\.1\.2 /);
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('a failure from the menu is seen on the desktop', async (t) => {
  const session = await makeSession(t);
  const { lab, home, env } = session;
  home.put(`${home.system}/app.desktop`, '[Desktop Entry]\nType=Application\nName=App\nExec=echo %u\n');
  const daemon = lab.own(lab.start('client', ['dunst', '-print'], { detached: true, env }));
  t.is((await home.desktop(['10.0.9.1', 'app'])).code, 0);
  await until('somebody shows notes', async () => {
    const { code } = await lab.run('client', ['notify-send', 'hello'], { env });
    return code === 0;
  });
  await gtkLaunch(session, ['app-via-10.0.9.1']);
  await daemon.waitFor(/via: not started/);
  await daemon.waitFor(/gateway 10\.0\.9\.1: not on-link \(routes know 10\.0\.1\.1%c1/);
});

/** A web server behind a gateway, which tells who has asked for what. */
async function serveWeb(lab: Lab, place: 'g1' | 'g2', folder: string): Promise<Running> {
  const words = [...python, '-u', '-m', 'http.server', '--bind', '203.0.113.10', '--directory', folder, '8080'];
  const server = lab.own(lab.start(place, words, { detached: true }));
  await server.waitFor(/Serving HTTP/);
  return server;
}

test.serial('Chromium, from the menu, loads a page by the gateway of the entry', async (t) => {
  const session = await makeSession(t);
  const { lab, home } = session;
  mkdirSync(`${home.folder}/web`);
  home.put(`${home.folder}/web/index.html`, '<title>x</title><script src="more.js"></script>');
  home.put(`${home.folder}/web/more.js`, 'fetch("fetched.txt")');
  home.put(`${home.folder}/web/fetched.txt`, 'x');
  chmodSync(`${home.folder}/web`, 0o755);
  const [wrong, right] = [
    await serveWeb(lab, 'g1', `${home.folder}/web`),
    await serveWeb(lab, 'g2', `${home.folder}/web`),
  ];
  const written = await home.desktop(['--replace', '10.0.2.1', 'chromium'], { XDG_DATA_DIRS: '/usr/share' });
  t.deepEqual([written.code, written.stdout], [0, `${home.own}/chromium.desktop\n`]);
  // What Debian's script adds to the options, in the lab's own mounts: root has no sandbox.
  const flags = `--no-sandbox --no-first-run --disable-gpu --user-data-dir=${home.folder}/profile`;
  home.put(`${home.folder}/chromium.d/flags`, `export CHROMIUM_FLAGS="$CHROMIUM_FLAGS ${flags}"\n`);
  await lab.sh('client', `mount --bind ${home.folder}/chromium.d /etc/chromium.d`);
  const { left } = await leaving(lab, async () => {
    await gtkLaunch(session, ['chromium', 'http://203.0.113.10:8080/']);
    await right.waitFor(/^10\.0\.2\.2 .*GET \/ /m, { timeout: 60_000, on: 'stderr' });
    await right.waitFor(/^10\.0\.2\.2 .*GET \/more\.js /m, { timeout: 60_000, on: 'stderr' });
    await right.waitFor(/^10\.0\.2\.2 .*GET \/fetched\.txt /m, { timeout: 60_000, on: 'stderr' });
    const browser = lab.processes().filter(({ argv }) => argv.join(' ').includes('chromium'));
    t.true(browser.length > 1);
    for (const { pid } of browser) {
      try {
        process.kill(pid);
      } catch {
        // With its parent.
      }
    }
    await until(
      'the browser has ended',
      () => lab.processes().every(({ argv }) => !argv.join(' ').includes('chrom')),
      20_000,
    );
    await kept(lab);
  });
  t.is(wrong.stderr.match(/GET/g), null, wrong.stderr);
  t.deepEqual(left, []);
});
