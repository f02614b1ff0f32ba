/** A program that gives its work to a process outside, which sends by the usual way whatever via does. */
export interface HandOff {
  readonly name: string;
  /** Only where one of these runs already; by the names of their programs. */
  readonly running?: readonly string[];
  /** What it does, and what to do instead: GATEWAY and PID are filled in. */
  readonly why: string;
  readonly hint: string;
}

/** What a command is known to hand over, also where it is run by one of the usual wrappers (`sudo -u me firefox`). */
export function handOff(command: readonly string[]): HandOff | undefined {
  const [first, ...others] = command.map(baseName);
  const isWrapped = WRAPPERS.has(first ?? '');
  const at = isWrapped ? 1 + others.findIndex((word) => word in KNOWN) : 0;
  const name = command.map(baseName)[at] ?? '';
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  if (known === undefined || (isWrapped && at === 0)) return undefined;
  const words = command.slice(at + 1);
  return known.unless.some((option) => words.some((word) => word === option || word.startsWith(`${option}=`)))
    ? undefined
    : { name, ...known };
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const WRAPPERS = new Set('sudo runuser setpriv env nice nohup stdbuf timeout ionice dbus-launch'.split(' '));

/** A known program; with one of the options in `unless` it keeps its work. */
interface Known extends Omit<HandOff, 'name'> {
  readonly unless: readonly string[];
}

const MOVE = 'via attach --tree GATEWAY PID';

const browser = (running: string, option: string, unless: string): Known => ({
  running: running.split(' '),
  why: 'runs already outside, and opens there what it is asked to',
  hint: `${option}, or ${MOVE}`,
  unless: unless.split(' '),
});

const chromium = (running: string): Known => browser(running, '--user-data-dir=<another directory>', '--user-data-dir');

const firefox = (running: string): Known =>
  browser(
    running,
    '--no-remote -P <another profile>',
    '--no-remote -no-remote --new-instance -new-instance --profile -profile',
  );

const KNOWN: Readonly<Record<string, Known>> = {
  docker: {
    why: 'has its daemon start what it runs, in a network of its own, which sends by the usual way',
    hint: 'start via in that network, with a gateway from there',
    unless: [],
  },
  flatpak: {
    why: 'may give it to a program of that name that runs outside',
    hint: `end that first, or ${MOVE.replace('PID', '<pid>')}`,
    unless: [],
  },
  snap: {
    why: 'may give it to a program of that name that runs outside',
    hint: `end that first, or ${MOVE.replace('PID', '<pid>')}`,
    unless: [],
  },
  'systemd-run': {
    why: 'has the service manager start it, outside',
    hint: 'systemd-run via -x GATEWAY -- <command>, or --scope',
    unless: ['--scope'],
  },
  'gnome-terminal': {
    why: 'has its server open the window, outside',
    hint: 'gnome-terminal -- via GATEWAY -- <command>',
    unless: [],
  },
  firefox: firefox('firefox firefox-bin firefox-esr'),
  'firefox-esr': firefox('firefox-esr firefox'),
  thunderbird: firefox('thunderbird thunderbird-bin'),
  chromium: chromium('chromium chromium-browser'),
  'chromium-browser': chromium('chromium chromium-browser'),
  'google-chrome': chromium('chrome google-chrome'),
  'google-chrome-stable': chromium('chrome google-chrome'),
  'brave-browser': chromium('brave brave-browser'),
  'microsoft-edge': chromium('msedge microsoft-edge'),
  vivaldi: chromium('vivaldi-bin vivaldi'),
};

/** The names of commands that may be such a program, or a wrapper of one. */
export const TELLING: readonly string[] = [...Object.keys(KNOWN), ...WRAPPERS];
