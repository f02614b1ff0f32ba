import type { Home } from '../helpers/behind.js';
import { othersIptables } from '../helpers/firewall.js';
import { gateways } from '../helpers/topology.js';

/**
 * A machine that sends answers back the way the question came, by connection marks of which all bits count; in iptables
 * with the words that are in use for it: what has a mark is not looked at again.
 */
export const ownWayBack = (home: Home): string => `
  ${home === 'nft' ? byNft : byIptables()}
  for family in -4 -6; do
    ip $family rule add pref 31999 fwmark 0x2 lookup main suppress_prefixlength 0
    ip $family rule add pref 32000 fwmark 0x2 lookup 102
  done
  ip route add default via ${gateways.g2.v4} table 102
  ip -6 route add default via ${gateways.g2.v6} table 102`;

const byNft = `nft -f - <<'EOF'
  table inet back {
    chain pre { type filter hook prerouting priority -150; ct state new iifname "c2" ct mark set 0x2; meta mark set ct mark; }
    chain out { type route hook output priority -150; meta mark set ct mark; }
  }
EOF`;

const byIptables = (): string =>
  [othersIptables()[4], othersIptables()[6]]
    .flatMap((tool) =>
      [
        'PREROUTING -j CONNMARK --restore-mark',
        'PREROUTING -m mark ! --mark 0 -j ACCEPT',
        'PREROUTING -i c2 -m conntrack --ctstate NEW -j MARK --set-mark 0x2',
        'PREROUTING -j CONNMARK --save-mark',
        'OUTPUT -j CONNMARK --restore-mark',
      ].map((rule) => `${tool} -t mangle -A ${rule}`),
    )
    .join('\n');
