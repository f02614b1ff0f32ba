import { readFileSync } from 'node:fs';
import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { root } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';
import { addUsers, setupBin, users, viaAs } from '../helpers/user.js';

/** The policy of the repository, for this checkout. */
const policy = readFileSync(`${root}/share/via.policy`, 'utf8').replaceAll('/usr/local/lib/via/bin/setup', setupBin);

/** Lets ada, and nobody else, without asking. */
const rule = `polkit.addRule(function (action, subject) {
  if (action.id !== 'via.setup') return undefined;
  return subject.user === 'via-ada' ? polkit.Result.YES : polkit.Result.NO;
});`;

/** A system bus and polkit's daemon of the lab's own: its /run, and the policies, are no others'. */
async function startPolkit(lab: Lab): Promise<void> {
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

const graphical = { env: { DISPLAY: ':7' } };

test.serial('pkexec, in a graphical session without a terminal, where a rule allows it', async (t) => {
  const lab = await makeLab(t);
  await addUsers(lab, []);
  await startPolkit(lab);
  const { result, left } = await leaving(lab, async () => {
    const command = ['sh', '-c', 'curl -sS -m 5 http://203.0.113.10/; id -u; echo $DISPLAY'];
    const one = await viaAs(lab, 'ada', ['10.0.2.1', '--', ...command], graphical);
    await kept(lab);
    return one;
  });
  t.deepEqual([result.code, result.stderr], [0, '']);
  t.regex(result.stdout, new RegExp(`^g2 10\\.0\\.2\\.2 .*\\n${users.ada}\\n:7\\n$`));
  t.deepEqual(left, []);
  refused(
    t,
    await viaAs(lab, 'bob', ['10.0.2.1', '--', 'echo', 'ran'], graphical),
    /^via: elevation pkexec: .*[Nn]ot authorized/,
  );
  refused(
    t,
    await viaAs(lab, 'bob', ['--elevate=sudo', '10.0.2.1', '--', 'echo', 'ran'], graphical),
    /^via: elevation sudo: /,
  );
});

test.serial('no daemon to ask', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab, []);
  refused(
    t,
    await viaAs(lab, 'ada', ['--elevate', 'pkexec', '10.0.2.1', '--', 'echo', 'ran']),
    /^via: elevation pkexec: /,
  );
});
