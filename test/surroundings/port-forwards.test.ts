import test from 'ava';
import { bothOf } from '../closed/senders.js';
import { forwarded, makeBehind, type Home } from '../helpers/behind.js';
import { askFrom, farBehind, unanswered } from '../helpers/clients.js';
import { othersIptables } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { hold } from '../helpers/runners.js';
import { gateways } from '../helpers/topology.js';
import { unguarded, unmarked, watch } from './passing.js';

/**
 * A router that sends answers back the way the question came, by connection marks of which all bits count; in iptables
 * with the words that are in use for it: what has a mark is not looked at again.
 */
const ownWayBack = (home: Home): string => `
  ${
    home === 'nft'
      ? `nft 'table inet back { chain pre {
          type filter hook prerouting priority -150; ct state new iifname "c2" ct mark set 0x2; meta mark set ct mark; }; }'`
      : [othersIptables()[4], othersIptables()[6]]
          .flatMap((tool) =>
            [
              '-j CONNMARK --restore-mark',
              '-m mark ! --mark 0 -j ACCEPT',
              '-i c2 -m conntrack --ctstate NEW -j MARK --set-mark 0x2',
              '-j CONNMARK --save-mark',
            ].map((rule) => `${tool} -t mangle -A PREROUTING ${rule}`),
          )
          .join('\n')
  }
  for family in -4 -6; do
    ip $family rule add pref 31999 fwmark 0x2 lookup main suppress_prefixlength 0
    ip $family rule add pref 32000 fwmark 0x2 lookup 102
  done
  ip route add default via ${gateways.g2.v4} table 102
  ip -6 route add default via ${gateways.g2.v6} table 102`;

const everybody = ['g1', 'g2', 'g3'] as const;

for (const home of ['nft', 'iptables'] as const)
  for (const [what, setUp, silent] of [
    ['a server behind a router, whom it leads to', watch, farBehind('g2', 'g3')],
    ['the same by a router with marks of its own for the way back', ownWayBack, farBehind('g3')],
  ] as const)
    test.serial(`${home}: ${what}`, async (t) => {
      const lab = await makeLab(t);
      await makeBehind(lab, home);
      await lab.sh('client', setUp(home));
      const ask = () => askFrom(lab, everybody, forwarded);
      const before = await ask();
      t.deepEqual(unanswered(before, 'behind'), silent);
      const { left } = await leaving(lab, async () => {
        const held = [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))];
        await unguarded(t, lab, async () => t.deepEqual(await ask(), before));
        for (const one of held) await one.release();
      });
      t.deepEqual(left, []);
      t.deepEqual(await ask(), before);
      if (setUp === watch) await unmarked(t, lab);
    });
