import test from 'ava';
import { guarded, withClassic } from '../helpers/firewall.js';
import { compareClassic, holds, type Situation } from './situations.js';

const both = (words: string): string => `ip ${words}\nip -6 ${words} 2>/dev/null || :`;

const deleted = both('rule del pref $P');

const empty = `ip route flush table $T
  ip -6 route flush table $T 2>/dev/null || :
  ip -6 route del unreachable default table $T metric 4294967295 2>/dev/null || :`;

const situations: Situation[] = [
  { name: 'the rule is deleted', does: deleted, guarded: true, classic: 'leaks' },
  { name: 'a rule is inserted ahead', does: both('rule add pref 1 lookup main'), guarded: true, classic: 'leaks' },
  // The kernel puts it ahead of the lowest that there is.
  { name: 'a rule without a preference', does: both('rule add lookup main'), guarded: true, classic: 'leaks' },
  { name: 'neither rule nor table', does: `${deleted}\n${empty}`, guarded: true, classic: 'leaks' },
];

for (const gateway of guarded())
  for (const situation of situations) {
    test.serial(`${gateway}: ${situation.name}`, (t) => holds(t, gateway, situation));
    if (withClassic())
      test.serial(`${gateway}: ${situation.name}, the classic recipe`, (t) => compareClassic(t, gateway, situation));
  }
