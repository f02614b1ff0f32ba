import { elsewhere, type Elsewhere } from './elsewhere.js';

/**
 * A program whose work leaves by the usual way whatever via does: a process outside does it, or it is sent in another
 * network namespace, whose packets this machine only forwards. They have no socket here, and so no class.
 */
export interface HandOff {
  readonly name: string;
  /** Only where one of these runs already; by the names of their programs. */
  readonly running?: readonly string[];
  /** What it does, and what to do instead: GATEWAY and PID are filled in. */
  readonly why: string;
  readonly hint: string;
}

/** The known program that a command is, also if a usual wrapper runs it (`sudo -u me firefox`). */
export function handOff(command: readonly string[]): HandOff | undefined {
  const [first, ...others] = command.map(baseName);
  const isWrapped = WRAPPERS.has(first ?? '');
  const at = isWrapped ? 1 + others.findIndex((word) => word in KNOWN) : 0;
  const name = command.map(baseName)[at] ?? '';
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  if (known === undefined || (isWrapped && at === 0)) return undefined;
  const words = command.slice(at + 1);
  const has = (option: string): boolean => words.some((word) => word === option || word.startsWith(`${option}=`));
  if (known.unless.some(has) || known.only?.(words) === false) return undefined;
  return { name, ...known };
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const WRAPPERS = new Set('sudo runuser setpriv env nice nohup stdbuf timeout ionice dbus-launch'.split(' '));

/** A known program. With one of the words in `unless` it keeps its work, and where `only` is false for its words. */
interface Known extends Omit<HandOff, 'name'> {
  readonly unless: readonly string[];
  readonly only?: Elsewhere;
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

const namespace = (only?: Elsewhere): Known => ({
  why: 'sends in another network namespace, of which this machine forwards the packets by the usual way',
  hint: 'start via in that namespace, with a gateway from there',
  unless: [],
  ...(only === undefined ? {} : { only }),
});

/** One of these is among the words. */
const oneOf =
  (...some: string[]): Elsewhere =>
  (words) =>
    some.some((word) => words.includes(word));

const KNOWN: Readonly<Record<string, Known>> = {
  ip: namespace(elsewhere.ip),
  nsenter: namespace(elsewhere.nsenter),
  // Without root it sends by a process of its own (slirp4netns, pasta).
  podman: namespace(elsewhere.podman),
  'systemd-nspawn': namespace(elsewhere['systemd-nspawn']),
  'lxc-start': namespace(),
  'lxc-execute': namespace(),
  'lxc-attach': namespace(),
  lxc: namespace(oneOf('exec', 'start', 'launch')),
  incus: namespace(oneOf('exec', 'start', 'launch')),
  machinectl: namespace(oneOf('start', 'shell', 'login')),
  virsh: namespace(oneOf('start', 'create', 'resume')),
  'virt-install': namespace(),
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
