import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { kept } from '../helpers/left.js';
import { openShell, SHELLS } from '../helpers/shells.js';

for (const name of SHELLS)
  test.serial(`${name}: names for gateways`, async (t) => {
    const lab = await makeLab(t);
    const shell = await openShell(t, lab, name);
    const status = name === 'fish' ? '$status' : '$?';
    const define = (words: string) =>
      name === 'fish' ? `via alias ${words} | source` : `eval "$(via alias ${words})"`;

    t.notRegex(await shell.run(define('lte=10.0.2.1 wan-2=fe80::1:3%c1,10.0.1.3')), /^via:|not found|rror/m);
    t.regex(await shell.run('lte curl -sS http://203.0.113.10/'), /^ *g2 10\.0\.2\.2 /m);
    t.regex(await shell.run('wan-2 curl -sS http://203.0.113.10/'), /^ *g3 10\.0\.1\.2 /m);
    t.regex(await shell.run('lte -x firefox'), /^ *g2 10\.0\.2\.2 /m);
    t.regex(await shell.run('lte --no-lan -- firefox'), /^ *g2 10\.0\.2\.2 /m);
    t.regex(await shell.run(`lte sh -c 'exit 7'; echo status=${status}`), /^ *status=7$/m);

    // What follows may be an alias too.
    await shell.run("alias ll='curl -sS'");
    t.regex(await shell.run('lte ll http://203.0.113.10/'), /^ *g2 10\.0\.2\.2 /m);

    t.regex(await shell.run('lte wan-2 firefox'), /^ *g3 10\.0\.1\.2 /m);

    // By hand.
    await shell.run(name === 'fish' ? "alias two='via 10.0.2.1'" : "alias two='via 10.0.2.1 '");
    t.regex(await shell.run('two curl -sS http://203.0.113.10/'), /^ *g2 10\.0\.2\.2 /m);
    t.regex(await shell.run('two -x firefox'), /^ *g2 10\.0\.2\.2 /m);
    if (name !== 'fish') t.regex(await shell.run('two ll http://203.0.113.10/'), /^ *g2 10\.0\.2\.2 /m);
    await shell.leave();
    await kept(lab);
  });
