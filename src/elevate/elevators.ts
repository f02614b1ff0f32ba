import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { ignoring } from '../kernel/cgroup.js';
import type { Elevate } from '../request.js';

/** What asks for the rights of root. */
export interface Elevator {
  readonly name: 'sudo' | 'pkexec';
  /** The words before the program that is to be run. */
  readonly argv: readonly [string, ...string[]];
  /** Whether it can ask somebody. */
  readonly asks: boolean;
}

/** What of the surroundings decides which it is. */
export interface Surroundings {
  readonly hasTerminal: boolean;
  readonly isGraphical: boolean;
  readonly find: (name: string) => string | undefined;
}

/**
 * sudo where there is a terminal to ask on, else pkexec in a graphical session, else sudo where it need not ask. Throws
 * where what was chosen is not installed.
 */
export function chooseElevator(
  choice: Exclude<Elevate, 'none'>,
  { hasTerminal, isGraphical, find }: Surroundings,
): Elevator {
  const order = choice !== 'auto' ? [choice] : !hasTerminal && isGraphical ? PKEXEC_FIRST : SUDO_FIRST;
  for (const name of order) {
    const path = find(name);
    if (path === undefined) continue;
    if (name === 'pkexec') return { name, argv: [path], asks: true };
    return { name, argv: hasTerminal ? [path, '--'] : [path, '-n', '--'], asks: hasTerminal };
  }
  const [name] = order;
  throw new ViaError('elevation', choice === 'auto' ? '' : choice, 'not installed', {
    hint: choice === 'auto' ? `install ${name}, or run via as root` : `install ${name}`,
  });
}

const PKEXEC_FIRST = ['pkexec', 'sudo'] as const;
const SUDO_FIRST = ['sudo', 'pkexec'] as const;

/** Where they are, whatever the caller's PATH. */
const PLACES = ['/usr/bin', '/bin', '/usr/local/bin', '/run/wrappers/bin'];

export function findProgram(name: string): string | undefined {
  const paths = PLACES.map((place) => `${place}/${name}`);
  return paths.find((path) => ignoring(['ENOENT', 'ENOTDIR', 'EACCES'], () => isProgram(path)) === true);
}

function isProgram(path: string): boolean {
  accessSync(path, constants.X_OK);
  return true;
}

/** Whether there is a terminal that sudo can ask on, whatever the standard descriptors are. */
export function hasTerminal(): boolean {
  const fd = ignoring(['ENXIO', 'ENOENT', 'EACCES', 'EIO', 'EPERM'], () => openSync('/dev/tty', constants.O_RDWR));
  if (fd !== undefined) closeSync(fd);
  return fd !== undefined;
}
