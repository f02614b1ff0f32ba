import test from 'ava';
import { seesAll } from '../helpers/firewall.js';
import { familyOf, argvOf, runs } from '../helpers/family.js';
import { shielded, startDay, watched, type Day } from '../helpers/healing.js';
import { until } from '../helpers/left.js';

/** Ends those of the keeper's processes whose command line says so, as nobody can refuse. */
function end(day: Day, words: RegExp): void {
  for (const { pid } of familyOf(day.lab)) if (words.test(argvOf(pid).join(' '))) process.kill(pid, 'SIGKILL');
}

const watchers = {
  'the listener': /^perl .*\/bin\/listener/,
  'who watches the routes': /^ip .* monitor /,
  'who watches the firewall': /^nft monitor/,
  'who holds the guard': /^nft -i/,
};

if (seesAll())
  for (const [what, words] of Object.entries(watchers))
    test.serial(`${what} is killed: it is there again, and so is what it does`, async (t) => {
      const day = await startDay(t);
      await shielded(day.lab);
      end(day, words);
      await until(
        'it is killed',
        () => !familyOf(day.lab).some(({ pid }) => words.test(argvOf(pid).join(' '))),
        500,
      ).catch(() => {});
      await watched(day.lab);
      await until('the guard is held', () => runs(day.lab, 'nft', '-i'), 3000);
      await shielded(day.lab);
      await day.sh('nft flush ruleset; ip rule del pref $P; ip -6 rule del pref $P6');
      await day.mended();
      await day.whole();
      await day.end();
    });
