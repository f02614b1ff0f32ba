import type { Others } from './others.js';

const tailscaleChains = (own: string, net: string): string => `*mangle
-A PREROUTING -m conntrack --ctstate RELATED,ESTABLISHED -j CONNMARK --restore-mark --nfmask 0xff0000 --ctmask 0xff0000
-A OUTPUT -m conntrack --ctstate NEW -m mark ! --mark 0x0/0xff0000 -j CONNMARK --save-mark --nfmask 0xff0000 --ctmask 0xff0000
COMMIT
*nat
:ts-postrouting - [0:0]
-A POSTROUTING -j ts-postrouting
-A ts-postrouting -m mark --mark 0x40000/0xff0000 -j MASQUERADE
COMMIT
*filter
:ts-forward - [0:0]
:ts-input - [0:0]
-A INPUT -j ts-input
-A FORWARD -j ts-forward
-A ts-forward -i tun0 -j MARK --set-xmark 0x40000/0xff0000
-A ts-forward -m mark --mark 0x40000/0xff0000 -j ACCEPT
-A ts-forward -s ${net} -o tun0 -j DROP
-A ts-forward -o tun0 -j ACCEPT
-A ts-input -s ${own} -i lo -j ACCEPT
-A ts-input -s ${net} ! -i tun0 -j DROP
-A ts-input -i tun0 -j ACCEPT
-A ts-input -p udp -m udp --dport 41641 -j ACCEPT
COMMIT`;

const tailscaleTables = (family: 'ip' | 'ip6', own: string, net: string): string => `
  table ${family} tailscale {
    chain ts-prerouting { type filter hook prerouting priority -150; ct state established,related counter meta mark set ct mark & 0x00ff0000; }
    chain ts-output { type route hook output priority -150; ct state new meta mark & 0x00ff0000 != 0 counter ct mark set meta mark & 0x00ff0000; }
    chain ts-postrouting { type nat hook postrouting priority 100; meta mark & 0x00ff0000 == 0x00040000 counter masquerade; }
    chain ts-forward { type filter hook forward priority 0;
      iifname "tun0" counter meta mark set meta mark & 0xff00ffff | 0x00040000
      meta mark & 0x00ff0000 == 0x00040000 counter accept
      oifname "tun0" ${family} saddr ${net} counter drop
      oifname "tun0" counter accept
    }
    chain ts-input { type filter hook input priority 0;
      iifname "lo" ${family} saddr ${own} counter accept
      iifname != "tun0" ${family} saddr ${net} counter drop
      iifname "tun0" counter accept
      udp dport 41641 counter accept
    }
  }`;

/**
 * Tailscale's rules, with tun0 in tailscale0's place, and an exit node: all but its own packets go by table 52.
 * Those for nft clear in what comes in all bits of the mark that are not theirs: nft 1.0.6 cannot join two marks.
 */
export const tailscale: Others = {
  iptables: tailscaleChains('100.101.102.10/32', '100.64.0.0/10'),
  ip6tables: tailscaleChains('fd7a:115c:a1e0::10/128', 'fd7a:115c:a1e0::/48'),
  nft:
    tailscaleTables('ip', '100.101.102.10', '100.64.0.0/10') +
    tailscaleTables('ip6', 'fd7a:115c:a1e0::10', 'fd7a:115c:a1e0::/48'),
  rest: ['-4', '-6']
    .map(
      (family) => `
    ip ${family} rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
    ip ${family} rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
    ip ${family} rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
    ip ${family} rule add pref 5270 lookup 52
    ip ${family} route add default dev tun0 table 52`,
    )
    .join('\n'),
};
