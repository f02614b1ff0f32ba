import test, { type ExecutionContext } from 'ava';
import { classicCommand } from '../helpers/classic.js';
import { launchWords, withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept } from '../helpers/left.js';
import { fixture, python } from '../helpers/paths.js';
import { addUsers, as } from '../helpers/user.js';
import { watchOthers } from './other-path.js';

/** A command that waits until its standard input ends. */
const waiting = ['sh', '-c', 'echo in; read _; :'];

/** Starts the owner of a UDP socket. Gives a function that tells it a word of test/fixtures/owner.py. */
function startOwner(lab: Lab, t: ExecutionContext, command: string[], around: (argv: string[]) => string[]) {
  const owner = lab.start('client', around([...python, fixture('owner.py'), ...command]), { detached: true });
  t.teardown(() => owner.stdin.end());
  const ask = async (word: string): Promise<string> => {
    const from = owner.stdout.length;
    owner.stdin.write(`${word}\n`);
    return (await owner.waitFor(/^(.+)\n/m, { from }))[1] ?? '';
  };
  const end = async (): Promise<void> => {
    owner.stdin.end();
    await owner.done;
  };
  return { ask, end };
}

/**
 * How the command is run, what comes of it, and the gateway that answers the owner while the next command of the group runs,
 * which does not have the socket.
 */
const ways: Record<string, { words?: string[]; command?: string[]; ended?: string; byUser?: true; next: RegExp }> = {
  'via stays': { next: /^g1 / },
  // No process with the socket leaves the group, so the socket keeps the class. README names this limit.
  'via becomes the command': { words: ['-x'], next: /^g2 / },
  'via is killed': { command: ['sh', '-c', 'kill -9 $PPID; echo in; read _; :'], ended: 'ended -9', next: /^g2 / },
  'a user runs via': { byUser: true, next: /^g2 / },
};

for (const [name, { words = [], command = waiting, ended = 'ended 0', byUser, next }] of Object.entries(ways))
  test.serial(`an outside program's UDP socket that a command inherits: ${name}`, async (t) => {
    const lab = await makeLab(t);
    if (byUser) await addUsers(lab);
    const by = (argv: string[]): string[] => (byUser ? [...as('ada'), ...argv] : argv);
    const { ask, end } = startOwner(lab, t, launchWords([...words, '10.0.2.1', '--', ...command]), by);
    t.regex(await ask('ask'), /^g1 10\.0\.1\.2 /);
    t.is(await ask('start'), 'in');
    t.regex(await ask('ask'), /^g2 /);
    t.is(await ask('end'), ended);
    await kept(lab, 1);
    t.regex(await ask('ask'), /^g1 /);
    const other = lab.start('client', by(launchWords(['10.0.2.1', '--', ...waiting])), { detached: true });
    await other.waitFor(/^in$/m);
    t.regex(await ask('ask'), next);
    other.stdin.end();
    await other.done;
    await end();
  });

const inner: Record<string, string[]> = {
  'the same gateway': ['10.0.2.1'],
  'another gateway': ['10.0.1.3'],
  none: ['none'],
};

for (const [name, words] of Object.entries(inner))
  test.serial(`a member's UDP socket is the group's again after a command by ${name} that inherits it`, async (t) => {
    const lab = await makeLab(t);
    const command = launchWords([...words, '--', ...waiting]);
    const { ask, end } = startOwner(lab, t, command, (argv) => launchWords(['10.0.2.1', '--', ...argv]));
    t.regex(await ask('ask'), /^g2 /);
    t.is(await ask('start'), 'in');
    t.is(await ask('end'), 'ended 0');
    const capture = await watchOthers(lab, 'g2', 4);
    t.regex(await ask('ask'), /^g2 /);
    t.regex(await ask('ask'), /^g2 /);
    t.deepEqual(await capture.stop(), []);
    await end();
    await kept(lab);
  });

for (const [name, words] of Object.entries(inner))
  test.serial(`the same of a user's group: a command by ${name}`, async (t) => {
    const lab = await makeLab(t);
    await addUsers(lab);
    const byUser = (argv: string[]): string[] => [...as('ada'), ...launchWords(['10.0.2.1', '--', ...argv])];
    const { ask, end } = startOwner(lab, t, launchWords([...words, '--', ...waiting]), byUser);
    t.regex(await ask('ask'), /^g2 /);
    t.is(await ask('start'), 'in');
    t.is(await ask('end'), 'ended 0');
    const capture = await watchOthers(lab, 'g2', 4);
    t.regex(await ask('ask'), /^g2 /);
    t.deepEqual(await capture.stop(), []);
    await end();
    await kept(lab);
  });

// The command takes the place of via, so no process goes back. README and the manual name this limit.
for (const words of [
  ['-x', '10.0.1.3'],
  ['none', '-x'],
])
  test.serial(`a member's UDP socket has no class after a command by ${words.join(' ')}`, async (t) => {
    const lab = await makeLab(t);
    const command = launchWords([...words, '--', ...waiting]);
    const { ask, end } = startOwner(lab, t, command, (argv) => launchWords(['10.0.2.1', '--', ...argv]));
    t.regex(await ask('ask'), /^g2 /);
    t.is(await ask('start'), 'in');
    t.is(await ask('end'), 'ended 0');
    t.notRegex(await ask('ask'), /^g2 /);
    await end();
    await kept(lab);
  });

if (withClassic())
  test.serial("the classic recipe leaves a member's UDP socket with the other gateway", async (t) => {
    const lab = await makeLab(t);
    const command = classicCommand('g3', waiting);
    const { ask, end } = startOwner(lab, t, command, (argv) => classicCommand('g2', argv));
    t.is(await ask('start'), 'in');
    t.is(await ask('end'), 'ended 0');
    const capture = await watchOthers(lab, 'g2', 4);
    t.notRegex(await ask('ask'), /^g2 /);
    t.not((await capture.stop()).length, 0);
    await end();
  });

test.serial("a UDP socket of a program in another tool's net_cls cgroup has that tool's class again", async (t) => {
  const lab = await makeLab(t);
  const group = `${lab.walls.groups}/other`;
  await lab.sh(
    'client',
    `nft 'table inet other { chain output { type filter hook output priority 0; meta cgroup 153 udp dport 7000 counter; }; }'`,
  );
  await lab.sh('client', `mkdir ${group}; echo 153 >${group}/net_cls.classid`);
  const { ask, end } = startOwner(lab, t, launchWords(['10.0.2.1', '--', ...waiting]), (argv) => [
    'sh',
    '-ec',
    `echo $$ >${group}/cgroup.procs; exec "$@"`,
    'sh',
    ...argv,
  ]);
  const counted = async (): Promise<number> =>
    Number(/packets (\d+)/.exec(await lab.sh('client', 'nft list chain inet other output'))?.[1]);
  await ask('ask');
  t.is(await counted(), 1);
  t.is(await ask('start'), 'in');
  t.is(await ask('end'), 'ended 0');
  t.regex(await ask('ask'), /^g1 /);
  t.is(await counted(), 2);
  await end();
  await kept(lab);
  await lab.sh('client', `nft delete table inet other; rmdir ${group}`);
});
