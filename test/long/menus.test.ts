import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { makeHome } from '../helpers/desktop.js';
import { run } from '../helpers/exec.js';
import { commandsOf, readByGlib, type Groups } from '../helpers/glib.js';

/** Debian packages with menu entries of all kinds; most of them are small. */
const PACKAGES = `
  xterm gnome-calculator gnome-terminal gnome-maps gnome-weather gnome-clocks evince eog nautilus file-roller
  gnome-text-editor gnome-characters gnome-font-viewer gnome-logs gnome-system-monitor baobab cheese totem
  rhythmbox simple-scan seahorse yelp gnome-disk-utility gnome-tweaks d-feet gnome-mines gnome-chess
  gnome-control-center gnome-contacts gnome-calendar gnome-music gnome-boxes gnome-builder thunar xfce4-terminal
  mousepad ristretto xfburn parole xfce4-taskmanager xfce4-settings kate konsole ark kcalc kwrite kde-spectacle
  kdeconnect falkon mpv libreoffice-impress evolution geary claws-mail transmission-gtk transmission-qt deluge-gtk
  filezilla pidgin hexchat remmina virt-manager epiphany-browser vim-common vim-gui-common htop mc synaptic
  gparted python3.11 idle-python3.11 zathura feh geeqie geeqie-common shotwell tilix guake terminator kitty
  alacritty lxterminal pcmanfm geany bluefish meld gitg git-cola sqlitebrowser dia homebank network-manager-gnome
  blueman pavucontrol software-properties-gtk gnome-software system-config-printer xarchiver engrampa atril caja
  pluma mate-terminal lximage-qt qterminal featherpad systemsettings plasma-discover korganizer akregator
  konversation quassel-client nheko dino-im gajim psi linphone-desktop firefox-esr
`
  .trim()
  .split(/\s+/);

const GATEWAY = '10.0.2.1%eth1';
const AHEAD = ['--notify', '--ipv6=allow', '-x', '10.0.2.1%%eth1', '--'];

/** Every entry of the packages, read and not kept: their paths, by package. */
async function unpack(folder: string): Promise<string[]> {
  const script = `mkdir -p debs && cd debs
    apt-get download -qq -o APT::Sandbox::User=root "$@" >&2
    for deb in *.deb; do
      mkdir ../"\${deb%%_*}"
      dpkg-deb --fsys-tarfile "$deb" | tar -x -C ../"\${deb%%_*}" --wildcards --no-anchored '*.desktop' 2>/dev/null || :
    done`;
  const { code, stderr } = await run(['sh', '-ec', script, 'sh', ...PACKAGES], { cwd: folder, timeout: 600_000 });
  if (code !== 0) throw new Error(stderr);
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((file) => file.isFile() && file.name.endsWith('.desktop'))
    .map((file) => `${file.parentPath}/${file.name}`);
}

const read = (path: string): string => readFileSync(path, 'latin1');

/** What desktop-file-validate says of a file, without the texts it repeats. */
async function complaints(path: string): Promise<string[]> {
  const { stdout } = await run(['desktop-file-validate', path]);
  return (
    stdout
      .split('\n')
      .map((line) => line.replace(/^\S+ /, '').replace(/(value|line) ".*" (for|starts|contains)/, '$1 $2'))
      // Of two keys that the same text is like, it names one.
      .filter((line) => line !== '' && !line.includes('looks the same as'))
  );
}

/** A group's keys but those that a copy has another value of. */
const others = (keys: Groups[string]): [string, unknown][] =>
  Object.entries(keys).filter(([key]) => !/^(argv|Exec|Name(\[.*)?|DBusActivatable|X-Via-\w+)$/.test(key));

test('entries of many applications from Debian packages', async (t) => {
  const home = makeHome(t);
  const paths = await unpack(home.folder);
  const originals = readByGlib(paths.map(read));
  let [copies, actions, clean, buses] = [0, 0, 0, 0];
  const packages = new Set<string>();
  for (const [i, path] of paths.entries()) {
    const groups = originals[i]!;
    const main = groups?.['Desktop Entry'];
    const words = ['--ipv6=allow', GATEWAY, path];
    const { code, stdout, stderr } = await home.desktop(words);
    if (main?.['Type'] !== 'Application' || main['Hidden'] === 'true') {
      t.deepEqual([code, stdout], [125, ''], path);
      t.regex(stderr, /^via: desktop entry [^\n]+\n$/);
      continue;
    }
    t.is(code, 0, `${path}: ${stderr}`);
    const copy = stdout.trimEnd();
    const after = readByGlib([read(copy)])[0]!;
    const via = `${home.folder}/bin/via`;
    t.deepEqual(
      commandsOf(after),
      commandsOf(groups).map((argv) => [via, ...AHEAD, ...argv!]),
      path,
    );
    t.deepEqual(Object.keys(after!), Object.keys(groups!));
    for (const [group, keys] of Object.entries(groups!)) {
      t.deepEqual(others(after![group]!), others(keys), path);
      for (const [key, value] of Object.entries(keys)) {
        if (!/^Name(\[|$)/.test(key)) continue;
        // White space at its end is kept where it is.
        const named = (value as string).replace(/ *$/, (spaces) => ` (via ${GATEWAY})${spaces}`);
        const name = group === 'Desktop Entry' ? named : value;
        t.is(after![group]![key] as string | null, name as string | null, path);
      }
    }
    t.is(after!['Desktop Entry']!['DBusActivatable'], 'false');
    const before = await complaints(path);
    const said = await complaints(copy);
    t.deepEqual(
      said.filter((line) => !before.includes(line)),
      [],
      path,
    );
    copies += 1;
    packages.add(path.slice(home.folder.length + 1).split('/')[0]!);
    actions += commandsOf(groups).length - 1;
    clean += said.length === 0 ? 1 : 0;
    buses += main['DBusActivatable'] === 'true' ? 1 : 0;
    t.is((await home.desktop(['--remove', copy])).stdout, stdout);
  }
  t.log(
    `${copies} entries of ${packages.size} packages, ${actions} actions, ${buses} by D-Bus; ${clean} without a complaint`,
  );
  t.true(packages.size >= 60 && actions > 20 && buses > 5 && clean > 50);
  t.deepEqual(home.files(), []);
});
