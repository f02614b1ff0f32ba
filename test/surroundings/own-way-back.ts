import type { Home } from '../helpers/behind.js';
import { othersIptables } from '../helpers/firewall.js';
import { gateways, type Gateway } from '../helpers/topology.js';

/**
 * A machine that sends answers back the way the question came, by connection marks of which all bits count; in iptables
 * with the words that are in use for it: what has a mark is not looked at again.
 */
export const ownWayBack = (home: Home, by: Gateway = 'g2'): string => `
  ${home === 'nft' ? byNft(by) : byIptables(by)}
  for family in -4 -6; do
    ip $family rule add pref 31999 fwmark 0x2 lookup main suppress_prefixlength 1
    ip $family rule add pref 32000 fwmark 0x2 lookup 102
  done
  ip route add default via ${gateways[by].v4} table 102
  ip -6 route add default via ${gateways[by].v6} table 102`;

const byNft = (by: Gateway): string => `nft -f - <<'EOF'
  table inet back {
    chain pre { type filter hook prerouting priority -150; ct state new iifname "${gateways[by].device}" ct mark set 0x2; meta mark set ct mark; }
    chain out { type route hook output priority -150; meta mark set ct mark; }
  }
EOF`;

const byIptables = (by: Gateway): string =>
  [othersIptables()[4], othersIptables()[6]]
    .flatMap((tool) =>
      [
        'PREROUTING -j CONNMARK --restore-mark',
        'PREROUTING -m mark ! --mark 0 -j ACCEPT',
        `PREROUTING -i ${gateways[by].device} -m conntrack --ctstate NEW -j MARK --set-mark 0x2`,
        'PREROUTING -j CONNMARK --save-mark',
        'OUTPUT -j CONNMARK --restore-mark',
      ].map((rule) => `${tool} -t mangle -A ${rule}`),
    )
    .join('\n');
