import test from 'ava';
import { bothOf } from '../closed/senders.js';
import { startDay } from '../helpers/healing.js';
import { ours } from '../helpers/ours.js';

/** How often somebody's deed is undone before it is left at that. */
const MET = 5;

/**
 * Deletes our rule whenever it is there, 20 times at most, and gives up when it has not been there for long enough to be
 * mended; prints how often.
 */
const insisting = `${ours}
  count=0 quiet=0
  while [ $count -lt 20 ] && [ $quiet -lt 150 ]; do
    P=$(mine -4 's/^\\([0-9]*\\):.* proto 118.*/\\1/p')
    if [ -n "$P" ] && ip rule del pref "$P" 2>/dev/null; then count=$((count + 1)) quiet=0; else quiet=$((quiet + 1)); fi
    sleep 0.02
  done
  echo $count`;

test.serial('a tool that deletes our rule again and again is met a few times, then it is closed', async (t) => {
  const day = await startDay(t);
  const count = Number(await day.lab.sh('client', insisting));
  // The first is a deed like any other; each that follows undoes our mending.
  t.true(count > 1 && count <= MET + 1, `deleted ${count} times`);
  await day.silent(30, ['udp4', 'newudp4', 'newtcp4', 'ping4']);
  const { stderr } = day.sender.running;
  const closed = stderr.split('\n').filter((line) => /: closed: /.test(line));
  t.is(closed.length, 1, stderr);
  t.regex(closed[0] ?? '', new RegExp(`^via: gateway ${bothOf('g2')}: closed: .*rule`));
  await day.end();
});
