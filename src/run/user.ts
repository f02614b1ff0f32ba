import { spawnSync } from 'node:child_process';
import { ViaError } from '../failure.js';
import { isRoot } from '../kernel/proc.js';
import { TOOL_ENVIRONMENT } from '../kernel/tools.js';

/**
 * The words ahead of a command that drop all that is root's: user and groups as at a login (initgroups(3)), inheritable
 * capabilities, and of the environment what names root or leads to what is his. Throws where there is no such user.
 */
export function wordsOfUser(name: string, environment: Readonly<Record<string, string>>): string[] {
  if (!isRoot())
    throw new ViaError('option', '--user', 'only root can run a command as another user', { hint: 'leave it out' });
  const { uid, gid, login, home, shell } = lookUp(name);
  const isSame = environment['SUDO_UID'] === uid;
  const gone = Object.keys(environment).filter((key) => OF_ROOT.test(key) || (!isSame && OF_SESSION.test(key)));
  return [
    ENV,
    ...gone.map((key) => `--unset=${key}`),
    `HOME=${home}`,
    `USER=${login}`,
    `LOGNAME=${login}`,
    `SHELL=${shell}`,
    SETPRIV,
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--init-groups',
    '--inh-caps=-all',
    '--',
  ];
}

/** By their paths: the caller's PATH is the command's. */
const ENV = '/usr/bin/env';
const SETPRIV = '/usr/bin/setpriv';

const OF_ROOT =
  /^(SUDO_(COMMAND|GID|UID|USER|HOME)|PKEXEC_UID|MAIL|XDG_RUNTIME_DIR|XDG_SESSION_\w+|DBUS_SESSION_BUS_ADDRESS)$/;

/** Whoever has started sudo may get back what is his. */
const OF_SESSION = /^(SSH_AUTH_SOCK|XAUTHORITY|ICEAUTHORITY|GNUPGHOME|XDG_(CONFIG|DATA|CACHE|STATE)_HOME)$/;

interface Account {
  readonly uid: string;
  readonly gid: string;
  readonly login: string;
  readonly home: string;
  readonly shell: string;
}

/** A user by name or number, wherever the system keeps users. */
function lookUp(name: string): Account {
  // getent(1) takes an option for one.
  const words = name.startsWith('-') ? [] : ['passwd', name];
  const { stdout, error } = spawnSync('getent', words, { env: TOOL_ENVIRONMENT, encoding: 'utf8' });
  if (error !== undefined) throw new ViaError('user', JSON.stringify(name), 'cannot be looked up', { cause: error });
  const [login = '', , uid = '', gid = '', , home = '/', shell = ''] = (stdout.split('\n')[0] ?? '').split(':');
  const isKnown = words.length > 0 && /^\d+$/.test(uid) && /^\d+$/.test(gid);
  if (!isKnown)
    throw new ViaError('user', JSON.stringify(name), 'not known', { hint: 'a name that getent passwd shows' });
  return { uid, gid, login, home, shell: shell === '' ? '/bin/sh' : shell };
}
