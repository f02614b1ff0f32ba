import test from 'ava';
import { bothOf, kinds } from '../closed/senders.js';
import { seesAll } from '../helpers/firewall.js';
import { shielded, startDay } from '../helpers/healing.js';
import { ours } from '../helpers/ours.js';

/** How often somebody's deed is undone before it is left at that. */
const MET = 5;

/**
 * Does it whenever there is something to undo, 20 times at most, and gives up when there has been nothing for long enough
 * to be mended; prints how often.
 */
const insisting = (undo: string): string => `${ours}
  count=0 quiet=0
  while [ $count -lt 20 ] && [ $quiet -lt 150 ]; do
    if ${undo}; then count=$((count + 1)) quiet=0; else quiet=$((quiet + 1)); fi
    sleep 0.02
  done 2>/dev/null
  echo $count`;

const ruleOfV4 = `P=$(mine -4 's/^\\([0-9]*\\):.* proto 118.*/\\1/p') && [ -n "$P" ] && ip rule del pref "$P"`;

const tools: Record<string, { undo: string; closes: string[]; named: RegExp }> = {
  'a routing rule': { undo: ruleOfV4, closes: kinds.filter((kind) => kind.endsWith('4')), named: /rule/ },
  ...(seesAll() && {
    'the table of nft': { undo: 'nft delete table inet via', closes: kinds, named: /table|nft|firewall/ },
  }),
};

for (const [what, { undo, closes, named }] of Object.entries(tools))
  test.serial(`a tool that takes away ${what} again and again is met a few times, then it is closed`, async (t) => {
    const day = await startDay(t);
    await shielded(day.lab);
    const count = Number(await day.lab.sh('client', insisting(undo)));
    // The first is a deed like any other; each that follows undoes our mending.
    t.true(count > 1 && count <= MET + 1, `${count} times`);
    await day.silent(30, closes);
    const { stderr } = day.sender.running;
    const closed = stderr.split('\n').filter((line) => /: closed: /.test(line));
    t.is(closed.length, 1, stderr);
    t.true(closed[0]?.startsWith(`via: gateway ${bothOf('g2')}: closed: `), stderr);
    t.regex(closed[0] ?? '', named);
    await day.end();
  });

if (seesAll())
  test.serial('the tool is named with its process and user, and no process that is only called nft', async (t) => {
    const day = await startDay(t);
    await shielded(day.lab);
    const impostor =
      'exec setpriv --reuid 65534 --clear-groups -- perl -e \'$| = 1; $0 = "nft"; print "here\\n"; sleep 60\'';
    const other = day.lab.start('client', ['sh', '-c', impostor]);
    await other.waitFor(/here/);
    // A tool that exits late, so that the keeper still sees it.
    const late = "nft list table inet via >/dev/null && /run/nft -c 'nft delete table inet via; sleep 0.3'";
    await day.lab.sh('client', `cp "$(command -v bash)" /run/nft; ${insisting(late)}; rm /run/nft`, {
      timeout: 20_000,
    });
    await day.silent(30, kinds);
    const line = day.sender.running.stderr.split('\n').find((one) => /: closed: /.test(one)) ?? '';
    t.regex(line, / taken away by nft \(process \d+ of user root, child of \w+\) \(/);
    t.false(line.includes(`process ${other.pid} `), line);
    other.kill('SIGKILL');
    await other.done;
    await day.end();
  });
