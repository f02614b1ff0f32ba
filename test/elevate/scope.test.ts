import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { v4 as uuid } from 'uuid';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { addUsers, as, setupBin, viaAs } from '../helpers/user.js';

/** The hierarchies of systemd, and of the second version, that this machine has; a user's session is a scope in one. */
const roots = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'].filter((root) =>
  existsSync(`${root}/cgroup.procs`),
);

/** Runs something with the path of a new scope, which goes again. */
async function withScope(lab: Lab, root: string, act: (scope: string) => Promise<void>): Promise<void> {
  const scope = `${root}/via-test-${uuid()}.scope`;
  mkdirSync(scope);
  try {
    await act(scope);
  } finally {
    if (existsSync(`${scope}/cgroup.freeze`)) writeFileSync(`${scope}/cgroup.freeze`, '0');
    for (const pid of membersOf(scope)) process.kill(pid, 'SIGKILL');
    await kept(lab).catch(() => {});
    await until('it is empty', () => membersOf(scope).length === 0);
    rmdirSync(scope);
  }
}

const membersOf = (scope: string): number[] =>
  readFileSync(`${scope}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);

/** What starts a command of ada's in a scope. */
const inside = (scope: string): string[] => ['sh', '-c', 'echo 0 >"$0/cgroup.procs"; exec "$@"', scope, ...as('ada')];

test.serial('what root does for a user is out of his session’s scope, as is the keeper', async (t) => {
  t.true(roots.length > 0, 'no hierarchy of systemd, nor of the second version, is mounted');
  for (const root of roots) {
    const lab = await makeLab(t, { servers: false });
    await addUsers(lab);
    await withScope(lab, root, async (scope) => {
      const command = [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; exec cat'];
      const one = lab.start('client', [...inside(scope), ...command], { detached: true });
      await one.waitFor(/in/);
      await until('the keeper is out', () => {
        const keepers = lab.keepers().map(({ pid }) => pid);
        return keepers.length === 1 && !membersOf(scope).some((pid) => keepers.includes(pid));
      });
      // via, and the command.
      t.is(membersOf(scope).length, 2);
      one.stdin.end();
      t.is((await one.done).code, 0);
    });
    await lab.end();
  }
});

test.serial('a session that is frozen while root works for it keeps nobody else out', async (t) => {
  const root = roots.find((one) => existsSync(`${one}/cgroup.controllers`));
  if (root === undefined) return void t.pass('the second version is not mounted');
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab);
  await withScope(lab, root, async (scope) => {
    const freeze = (value: '0' | '1') => {
      writeFileSync(`${scope}/cgroup.freeze`, value);
      return until('it is frozen', () => readFileSync(`${scope}/cgroup.events`, 'utf8').includes(`frozen ${value}`));
    };
    const setups = () =>
      lab.processes().filter(({ argv }) => argv[0] === 'node' && argv.some((word) => word.endsWith('/setup.cjs')));
    // One asks by hand, and stays half way: the set-up waits for her to join.
    const script = `start=$(sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20)
      { printf '{"pid":%s,"start":"%s","word":"launch","gateway":"10.0.2.1","ipv4":"refuse","ipv6":"refuse","lan":true,"firewall":"auto","verbose":false,"pids":"","tree":false}\\n' $$ "$start"; cat; } | sudo -n ${setupBin}`;
    const one = lab.start('client', [...inside(scope), 'sh', '-c', script], { detached: true });
    await one.waitFor(/"path"/);
    const [setup] = setups();
    t.false(membersOf(scope).includes(setup!.pid));
    t.true(membersOf(scope).length >= 3);
    await freeze('1');
    // Neither root nor another user waits for her, and what was made for her goes when she does not join.
    t.is((await lab.via(['10.0.2.1', '--', 'echo', 'ran'])).stdout, 'ran\n');
    t.is((await viaAs(lab, 'bob', ['10.0.2.1', '--', 'echo', 'ran'])).stdout, 'ran\n');
    await until('the set-up has given her up', () => setups().length === 0, 20_000);
    await until('nothing is left', () => !existsSync(`/proc/${lab.walls.holder}/root/run/via`), 20_000);
    await freeze('0');
    one.stdin.end();
    await one.done;
    // Frozen at any moment of a launch.
    for (const after of [50, 150, 250, 350, 450]) {
      const other = lab.start('client', [...inside(scope), viaBin, '10.0.2.1', '--', 'true'], { detached: true });
      await new Promise((resolve) => setTimeout(resolve, after));
      await freeze('1');
      const began = performance.now();
      t.is((await lab.via(['10.0.1.3', '--', 'echo', 'ran'])).stdout, 'ran\n');
      t.log(`after ${after} ms: root's launch took ${Math.round(performance.now() - began)} ms`);
      await freeze('0');
      t.is((await other.done).code, 0);
    }
  });
  await kept(lab);
});
