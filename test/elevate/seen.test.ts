import test, { type ExecutionContext } from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import type { Running } from '../helpers/exec.js';
import { viaBin } from '../helpers/paths.js';
import { addUsers, as, users, viaAs, type User } from '../helpers/user.js';

/** A launch of a user's that stays. */
async function stay(lab: Lab, user: User, ...words: string[]): Promise<Running> {
  const argv = [...as(user), viaBin, ...words, '--', 'sh', '-c', 'echo in; exec cat'];
  const running = lab.start('client', argv, { detached: true });
  await running.waitFor(/^in$/m);
  return running;
}

async function end(t: ExecutionContext, lab: Lab, ...all: Running[]): Promise<void> {
  for (const one of all) {
    one.stdin.end();
    t.is((await one.done).code, 0);
  }
  await kept(lab);
}

interface Seen {
  groups: { id: string; gateway?: string; options?: string[] }[];
}

const seenBy = async (lab: Lab, user: User): Promise<Seen['groups']> =>
  (JSON.parse((await viaAs(lab, user, ['status', '--json'])).stdout) as Seen).groups;

const self = (lab: Lab, user: User, ...words: string[]) =>
  viaAs(lab, user, [...words, '--', viaBin, 'status', 'self']).then(({ stdout, stderr }) => stdout + stderr);

/** The file by which a user is told of his only group. */
const newsOf = async (lab: Lab): Promise<string> => (await lab.sh('client', 'ls /run/via/news-*')).trim();

test.serial('a user sees the gateway of his groups as he has typed it, and of no others', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab);
  const pair = '10.0.2.1,fe80::2:1%c2';
  t.is(await self(lab, 'ada', pair), `${pair}\n`);
  const all = [await stay(lab, 'ada', '10.0.2.1'), await stay(lab, 'ada', '--no-lan', '10.0.2.1')];
  t.is(await self(lab, 'ada', '10.0.2.1'), '10.0.2.1\n');
  const { stdout } = await viaAs(lab, 'ada', ['status']);
  t.regex(stdout, /^10\.0\.2\.1 {2}/m);
  t.regex(stdout, /^10\.0\.2\.1 --no-lan {2}/m);
  t.deepEqual((await seenBy(lab, 'ada')).map(({ gateway, options }) => [gateway, ...(options ?? [])]).sort(), [
    ['10.0.2.1'],
    ['10.0.2.1', '--no-lan'],
  ]);
  t.deepEqual(
    (await seenBy(lab, 'bob')).map(({ gateway }) => gateway),
    [undefined, undefined],
  );
  await end(t, lab, ...all);
});

test.serial('the gateway stays when it is lost, and back; without it there is the name of the group', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab);
  const held = await stay(lab, 'ada', '10.0.2.1');
  const file = await newsOf(lab);
  const uuid = file.slice(-36);
  for (const [change, is] of [
    ['down', 'lost c2 is down'],
    ['up', 'well '],
  ] as const) {
    await lab.sh('client', `ip link set c2 ${change}`);
    await until(is, async () => (await lab.sh('client', `head -1 ${file}`)) === `${is}\n`, 10_000);
    t.is((await seenBy(lab, 'ada'))[0]!.gateway, '10.0.2.1');
  }
  // As an older via has written it.
  await lab.sh('client', `echo 'well ' >${file}`);
  t.is(await self(lab, 'ada', '10.0.2.1'), `via-${uuid}\n`);
  t.deepEqual(
    (await seenBy(lab, 'ada')).map(({ id, gateway }) => [id, gateway]),
    [[uuid, undefined]],
  );
  await lab.sh('client', 'ip address add fd02::2/64 dev c2; ip address add fe80::2:2/64 dev c2');
  await end(t, lab, held);
});

test.serial('what a user writes into his file is shown to him alone, and as one line', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab);
  const held = await stay(lab, 'ada', '10.0.2.1');
  const file = await newsOf(lab);
  const line = '\\033[31m9.9.9.9 ipv4=refuse ipv6=refuse lan=false';
  await lab.run('client', [...as('ada'), 'sh', '-c', `chmod 600 ${file}; printf 'well \\n${line}\\n' >${file}`]);
  t.is(await self(lab, 'ada', '10.0.2.1'), '\\x1b[31m9.9.9.9\n');
  t.regex((await viaAs(lab, 'ada', ['status'])).stdout, /^\\x1b\[31m9\.9\.9\.9 --no-lan /m);
  t.regex((await lab.via(['status'])).stdout, /^10\.0\.2\.1 {2}/m);
  // Root, in her group, and with nothing else to read.
  const join = `echo $$ >/run/via/net_cls/via-${file.slice(-36)}/cgroup.procs`;
  t.is(await lab.sh('client', `${join}; '${viaBin}' status self`), '10.0.2.1\n');
  const record = `/run/via/group-${file.slice(-36)}`;
  const { stdout } = await lab.run('client', [
    'sh',
    '-c',
    `mv ${record} /run/kept; ${join}; '${viaBin}' status self; mv /run/kept ${record}`,
  ]);
  t.is(stdout, `via-${file.slice(-36)}\n`);
  t.is(await lab.sh('client', `stat -c '%u %g' ${file}`), `${users.ada} 0\n`);
  await end(t, lab, held);
});
