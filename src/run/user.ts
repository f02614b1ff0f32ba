import { spawnSync } from 'node:child_process';
import { ViaError } from '../failure.js';
import { isRoot } from '../kernel/proc.js';
import { TOOL_ENVIRONMENT } from '../kernel/tools.js';

/**
 * The words before a command that drop root's rights: user and groups as at a login (initgroups(3)), inheritable
 * capabilities, and the variables that name root or belong to root's session. Throws if there is no such user.
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

/** The paths of the tools. The caller's PATH is the command's and is not used. */
const ENV = '/usr/bin/env';
const SETPRIV = '/usr/bin/setpriv';

const OF_ROOT =
  /^(SUDO_(COMMAND|GID|UID|USER|HOME)|PKEXEC_UID|MAIL|XDG_RUNTIME_DIR|XDG_SESSION_\w+|DBUS_SESSION_BUS_ADDRESS)$/;

/** The variables of root's session, and those of sudo. */
const OF_SESSION = /^(SSH_AUTH_SOCK|XAUTHORITY|ICEAUTHORITY|GNUPGHOME|XDG_(CONFIG|DATA|CACHE|STATE)_HOME)$/;

interface Account {
  readonly uid: string;
  readonly gid: string;
  readonly login: string;
  readonly home: string;
  readonly shell: string;
}

/** Looks a user up by name or number, in all databases of the system (getent(1)). */
function lookUp(name: string): Account {
  // getent(1) would take it for an option.
  const words = name.startsWith('-') ? [] : ['passwd', name];
  const { stdout, error } = spawnSync('getent', words, { env: TOOL_ENVIRONMENT, encoding: 'utf8' });
  if (error !== undefined) throw new ViaError('user', JSON.stringify(name), 'cannot be looked up', { cause: error });
  const [login = '', , uid = '', gid = '', , home = '/', shell = ''] = (stdout.split('\n')[0] ?? '').split(':');
  const isKnown = words.length > 0 && /^\d+$/.test(uid) && /^\d+$/.test(gid);
  if (!isKnown)
    throw new ViaError('user', JSON.stringify(name), 'not known', { hint: 'a name that getent passwd shows' });
  return { uid, gid, login, home, shell: shell === '' ? '/bin/sh' : shell };
}
