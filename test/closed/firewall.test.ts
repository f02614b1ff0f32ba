import test from 'ava';
import { guarded, launchWords, listRestore, seesAll, unmark, unrestore, withClassic } from '../helpers/firewall.js';
import { compareClassic, holds, type Situation } from './situations.js';

/** A chain of somebody else's, with one rule; `inet` is both families. */
const foreign = (hook: string, rule: string): string =>
  `nft 'table inet foreign { chain other { type ${hook}; ${rule}; }; }'`;

const unmarked = unmark();
const classicUnmarked = 'iptables -t mangle -F OUTPUT';
const mainOnly = `ip rule del pref $P\nip -6 rule del pref $P 2>/dev/null || :`;

const situations: Situation[] = [
  { name: 'the marking is deleted', does: unmarked, toClassic: classicUnmarked, guarded: true, classic: 'leaks' },
  {
    name: 'the marking is deleted, and the rule',
    does: `${unmarked}\n${mainOnly}`,
    toClassic: `${classicUnmarked}\n${mainOnly}`,
    guarded: true,
    classic: 'leaks',
  },
  {
    name: 'somebody else sets another mark',
    does: foreign('route hook output priority -140', 'oifname != "lo" meta mark set 0x1'),
    guarded: true,
    classic: 'leaks',
  },
  // It looks at no connection.
  {
    name: 'a foreign notrack',
    does: foreign('filter hook output priority -300', 'notrack'),
    served: seesAll(),
    classic: 'holds',
  },
  {
    name: 'a foreign notrack after our undoing of it',
    does: foreign('filter hook output priority -240', 'notrack'),
    served: seesAll(),
    classic: 'holds',
  },
  { name: 'connections are forgotten', does: 'conntrack -F 2>/dev/null', served: true, classic: 'holds' },
  {
    name: 'a launch finds a rule missing, and replaces the table',
    does: `${unrestore()}
${launchWords([]).join(' ')} $G -- true
${listRestore()}`,
    served: true,
    classic: 'has none',
  },
];

for (const gateway of guarded())
  for (const situation of situations) {
    test.serial(`${gateway}: ${situation.name}`, (t) => holds(t, gateway, situation));
    if (situation.classic !== 'has none' && withClassic())
      test.serial(`${gateway}: ${situation.name}, the classic recipe`, (t) => compareClassic(t, gateway, situation));
  }
