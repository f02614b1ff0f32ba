import test from 'ava';
import { guarded, seesAll } from '../helpers/firewall.js';
import { shielded, startDay } from '../helpers/healing.js';
import { client, gateways } from '../helpers/topology.js';

/** All that a machine may lose on its way to sleep and back, ours first or last. */
const asleep = (device: 'c1' | 'c2'): string[] => [
  `ip link set ${device} down`,
  `ip address flush dev ${device}; ip -6 address flush dev ${device}`,
  'ip rule del pref $P; ip -6 rule del pref $P6',
  'ip route flush table $T; ip -6 route flush table $T',
  'nft flush ruleset',
];

/** What a network manager and a firewall's service do then, which know nothing of ours. */
const awake = (device: 'c1' | 'c2'): string => `
  ip link set ${device} up
  ip address add ${client[device].v4}/24 dev ${device}
  ip -6 address add ${client[device].link}/64 dev ${device}
  ip -6 address add ${client[device].v6}/64 dev ${device}
  ${device === 'c1' ? 'ip route replace default via 10.0.1.1 dev c1; ip -6 route replace default via fd01::1 dev c1' : ''}
  nft -f - <<'EOF'
flush ruleset
table inet site { chain input { type filter hook input priority 0; ct state established,related accept; }; }
EOF`;

for (const gateway of seesAll() ? guarded() : [])
  for (const [order, arrange] of [
    ['the link first', (steps: string[]) => steps],
    ['the firewall first', (steps: string[]) => [...steps].reverse()],
  ] as const)
    test.serial(`${gateway}: everything goes at once, ${order}, and comes back`, async (t) => {
      const { device } = gateways[gateway];
      const day = await startDay(t, { gateway });
      await shielded(day.lab);
      await day.sh(arrange(asleep(device)).join('\n'));
      await day.silent(20);
      await day.sh(awake(device));
      await day.mended();
      await day.whole();
      await day.end();
    });
