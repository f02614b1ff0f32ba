import test, { type ExecutionContext } from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import type { Running } from '../helpers/exec.js';
import { viaBin } from '../helpers/paths.js';
import { hold } from '../helpers/runners.js';
import { addUsers, as, viaAs, type User } from '../helpers/user.js';

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

test.serial('a user sees the gateways of users’ groups as they were typed, and of no others', async (t) => {
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
  // Which gateways are in use is no secret; those of root are told to nobody.
  t.deepEqual(
    (await seenBy(lab, 'bob')).map(({ gateway }) => gateway),
    ['10.0.2.1', '10.0.2.1'],
  );
  const ofRoot = await hold(lab, '10.0.1.3');
  t.deepEqual((await seenBy(lab, 'bob')).map(({ gateway = '' }) => gateway).sort(), ['', '10.0.2.1', '10.0.2.1']);
  await ofRoot.release();
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
