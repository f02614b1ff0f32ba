import type { RunOptions, Result } from './exec.js';
import type { Lab } from './lab.js';
import { root, viaBin } from './paths.js';

/** The program that runs as root for a user. */
export const setupBin = `${root}/bin/setup`;

/** Users of a lab's own; numbers that no machine has. */
export const users = { ada: 61234, bob: 61235 } as const;
export type User = keyof typeof users;

/** The line that a page gives, as for ada. */
export const sudoersLine = (name: string): string => `via-${name} ALL=(root) NOPASSWD: ${setupBin} ""`;

/**
 * Makes two users and what sudo lets them do, in the lab's own mounts: nothing of the machine's files is changed, and all
 * of it goes with the lab. A user has the password `secret`.
 */
export function addUsers(
  lab: Lab,
  sudoers: readonly string[] = [sudoersLine('ada'), sudoersLine('bob')],
): Promise<string> {
  const lines = Object.entries(users).map(([name, uid]) => ({ name: `via-${name}`, uid }));
  const passwd = lines.map(({ name, uid }) => `${name}:x:${uid}:${uid}::/run/home/${name}:/bin/sh`).join('\n');
  const group = lines.map(({ name, uid }) => `${name}:x:${uid}:\nvia-more-${name}:x:${uid + 100}:${name}`).join('\n');
  return lab.sh(
    'client',
    `umask 022
    mkdir -p /run/sudo /run/etc /run/home /run/etc/sudoers.d
    cat /etc/passwd - >/run/etc/passwd <<'END'\n${passwd}\nEND
    cat /etc/group - >/run/etc/group <<'END'\n${group}\nEND
    hash=$(printf %s secret | openssl passwd -6 -stdin)
    { cat /etc/shadow; ${lines.map(({ name }) => `echo "${name}:$hash:19000:0:99999:7:::"`).join('; ')}; } >/run/etc/shadow
    chmod 600 /run/etc/shadow
    ${lines.map(({ name, uid }) => `mkdir -m 700 /run/home/${name}; chown ${uid}:${uid} /run/home/${name}`).join('\n')}
    cat >/run/etc/sudoers <<'END'\nDefaults env_reset\nDefaults !syslog\nDefaults lecture = never\nroot ALL=(ALL:ALL) ALL\n${sudoers.join('\n')}\nEND
    chmod 440 /run/etc/sudoers
    for file in passwd group shadow sudoers; do mount --bind "/run/etc/$file" "/etc/$file"; done
    mount --bind /run/etc/sudoers.d /etc/sudoers.d`,
  );
}

/** What starts a command as a user, with his groups. */
export const as = (user: User): string[] => [
  'setpriv',
  `--reuid=${users[user]}`,
  `--regid=${users[user]}`,
  '--init-groups',
  'env',
  `HOME=/run/home/via-${user}`,
  `USER=via-${user}`,
  `LOGNAME=via-${user}`,
];

/** via by a user, where no terminal is. */
export const viaAs = (lab: Lab, user: User, words: readonly string[], options: RunOptions = {}): Promise<Result> =>
  lab.run('client', [...as(user), viaBin, ...words], { detached: true, ...options });
