import { readFileSync } from 'node:fs';
import type { Lab } from './lab.js';
import { root } from './paths.js';
import { setupBin } from './user.js';

/** The policy of the repository, for this checkout. */
const policy = readFileSync(`${root}/share/via.policy`, 'utf8').replaceAll('/usr/local/lib/via/bin/setup', setupBin);

/** Lets ada, and nobody else, without asking. */
const rule = `polkit.addRule(function (action, subject) {
  if (action.id !== 'via.setup') return undefined;
  return subject.user === 'via-ada' ? polkit.Result.YES : polkit.Result.NO;
});`;

/** A system bus and polkit's daemon of the lab's own: its /run, and the policies, are no others'. */
export async function startPolkit(lab: Lab): Promise<void> {
  await lab.sh(
    'client',
    `umask 022; mkdir -p /run/dbus /run/actions /run/rules
    cp /usr/share/polkit-1/actions/org.freedesktop.policykit.policy /run/actions
    cat >/run/actions/via.policy <<'END'\n${policy}END
    cat >/run/rules/10-via.rules <<'END'\n${rule}\nEND
    mount --bind /run/actions /usr/share/polkit-1/actions
    mount --bind /run/rules /etc/polkit-1/rules.d
    chmod 755 /etc/polkit-1/rules.d`,
  );
  const bus = lab.own(
    lab.start('client', ['dbus-daemon', '--system', '--nofork', '--nopidfile', '--print-address=1'], {
      detached: true,
    }),
  );
  await bus.waitFor(/unix:/);
  const daemon = lab.own(lab.start('client', ['/usr/lib/polkit-1/polkitd'], { detached: true }));
  await daemon.waitFor(/Acquired the name|Finished loading/, { on: 'stdout' }).catch(() => undefined);
}
