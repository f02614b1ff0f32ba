import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { addUsers, as } from '../helpers/user.js';

test.serial('a user’s via that stays says that the gateway is lost, and that it is back', async (t) => {
  const lab = await makeLab(t, { servers: false });
  await addUsers(lab);
  const { left } = await leaving(lab, async () => {
    const start = (...words: string[]) =>
      lab.start('client', [...as('ada'), viaBin, ...words, '10.0.2.1', '--', 'sh', '-c', 'echo in; exec cat'], {
        detached: true,
      });
    const loud = start();
    await loud.waitFor(/in/);
    const quiet = start('-q');
    await quiet.waitFor(/in/);
    await lab.sh('client', 'ip link set c2 down');
    const patience = { on: 'stderr', timeout: 10_000 } as const;
    await loud.waitFor(/^via: gateway 10\.0\.2\.1: lost: c2 is down \(nothing leaves until it is back\)\n$/, patience);
    // One that comes now is told too.
    const late = start();
    await late.waitFor(/^via: gateway 10\.0\.2\.1: lost: c2 is down/, patience);
    const news = 'lost c2 is down\n10.0.2.1 ipv4=refuse ipv6=refuse lan=true\n';
    const file = (await lab.sh('client', 'ls /run/via/news-*')).trim();
    t.is(await lab.sh('client', `stat -c '%u %g %a' ${file}; cat ${file}`), `0 0 444\n${news}`);
    t.is((await lab.run('client', [...as('ada'), 'cat', file])).stdout, news);
    // Else she could fill the machine's /run by it.
    const write = await lab.run('client', [...as('ada'), 'sh', '-c', `chmod 600 ${file}; echo 'closed x' >${file}`]);
    t.not(write.code, 0);
    t.is(await lab.sh('client', `stat -c '%u %a' ${file}; cat ${file}`), `0 444\n${news}`);
    t.regex((await lab.via(['status'])).stdout, / gateway down .*\n +c2 is down$/m);
    await lab.sh('client', 'ip link set c2 up');
    await loud.waitFor(/^via: gateway 10\.0\.2\.1: back\n$/m, patience);
    await late.waitFor(/^via: gateway 10\.0\.2\.1: back\n$/m, patience);
    t.is(quiet.stderr, '');
    for (const one of [loud, quiet, late]) {
      one.stdin.end();
      t.is((await one.done).code, 0);
    }
    await lab.sh('client', 'ip address add fd02::2/64 dev c2; ip address add fe80::2:2/64 dev c2');
    await kept(lab);
  });
  t.deepEqual(left, []);
});
