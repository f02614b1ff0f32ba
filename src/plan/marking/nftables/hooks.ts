import { hex, MASK, OTHER_BITS, VISITOR } from '../../numbers.js';
import { UNUSED_NEXT_HOP } from '../../fallback.js';
import type { Family } from '../../wayout.js';
import type { Rule } from '../rules.js';
import { FORGET, OF_A_PROCESS, OURS } from './shared.js';

/** A base chain: name, hook, rules. Priorities are numbers, since nft 1.0.6 does not take every name everywhere. */
export type Hook = readonly [name: string, hook: string, rules: readonly Rule[]];

const SYN = 'tcp flags & (syn | ack) == syn';

/**
 * TCP that conntrack has picked up in the middle (nf_conntrack_tcp_loose), by a packet that came in by no group's path. If
 * the kernel has not found the socket yet (ip_early_demux is 0), it may be a member's: its answers are stopped then.
 */
export function pickedUp(classes: string): Rule[] {
  const middle = `iifname != "lo" meta l4proto tcp tcp flags & (syn | ack) != syn ct state new ${OURS} == 0`;
  return [
    { text: `${middle} meta cgroup != ${classes} accept` },
    { text: `${middle} ct mark set ct mark & ${hex(OTHER_BITS)} | ${hex(VISITOR)}` },
  ];
}

/**
 * The base chains of the table; `fallen` are the families in which main leads nowhere. Each leads by a map to a group's
 * own chains, so that its cost does not grow.
 */
export function hooks(v6: boolean, fallen: readonly Family[]): Hook[] {
  const datagrams = v6 ? 'meta l4proto { icmp, udp, ipv6-icmp }' : 'meta l4proto { icmp, udp }';
  const local: Rule = { text: 'oifname "lo" accept' };
  return [
    // After everybody's raw chains and before conntrack (-200), so that a foreign notrack is undone.
    [
      'zone',
      'filter output -250',
      [
        local,
        { text: `${datagrams} meta cgroup vmap @zone_of_class` },
        { text: 'meta l4proto tcp meta cgroup @classes ct zone set 0' },
      ],
    ],
    // Right after conntrack (-200), so that whoever keeps marks of his own in connections sees nothing of ours in the
    // answer of a program outside. And before marking: a marked SYN would be lost in the re-route, and the program would
    // wait for its timeout.
    [
      'refuse',
      'filter output -199',
      [
        local,
        { text: `ct direction reply ${OURS} @candidates meta cgroup != @classes ${OF_A_PROCESS} ${FORGET}` },
        { text: `meta l4proto tcp ${SYN} meta cgroup vmap @refuse_of_class` },
        { text: `meta l4proto ${v6 ? '{ icmp, ipv6-icmp }' : 'icmp'} meta cgroup vmap @refuse_of_class` },
        { text: 'ct state invalid goto stray' },
      ],
    ],
    // Right after conntrack (-200), so that whoever looks at the mark next (a reverse path filter) sees ours.
    ['restore', 'filter prerouting -199', [{ text: `ct direction reply ${OURS} vmap @set_of_mark` }]],
    [
      'arrive',
      'filter input -150',
      [
        { text: `tcp flags & syn == syn ${OURS} vmap @clamp_of_mark` },
        { text: `iifname != "lo" ct state new ${OURS} == 0 meta cgroup vmap @receive_of_class` },
        { text: `ct state new ${OURS} == 0 meta nfproto . iifname . ether saddr vmap @arrival_of_router` },
        { text: `ct state new ${OURS} == 0 meta nfproto . iifname vmap @arrival_of_device` },
        // By another path, now: a member may answer. What was there before a group is, is somebody else's.
        {
          text:
            `iifname != "lo" meta l4proto != tcp ct state new ${OURS} == 0 ` +
            `ct mark set ct mark & ${hex(OTHER_BITS)} | ${hex(VISITOR)}`,
        },
        ...pickedUp('@classes'),
      ],
    ],
    // Right after conntrack too: who saves the packet's mark in the connection's then saves ours, and who restores it in a
    // chain that does not route again restores what is routed already.
    [
      'classify',
      'route output -198',
      [
        local,
        // The class of what is sent now, not of what conntrack remembers: an entry may be older than the group.
        { text: `${datagrams} ct direction original meta cgroup vmap @new_of_class` },
        { text: `meta l4proto != tcp ct direction original ${OURS} @marks goto reused` },
        { text: `meta l4proto tcp ${SYN} meta cgroup vmap @new_of_class` },
        { text: `meta l4proto tcp ${SYN} ct direction original ${OURS} @marks goto reused` },
        { text: `${OURS} vmap @set_of_mark` },
        { text: 'ct state new meta cgroup vmap @new_of_class' },
        { text: `ct direction reply meta nfproto . ct mark & ${hex(MASK)} . meta cgroup vmap @answer_of_candidate` },
        { text: `ct direction reply ${OURS} @candidates goto answered` },
        // A group's that is gone, by whose path it came or who answered it: as what came by no group's.
        {
          text:
            `meta l4proto != tcp ct direction reply ${OURS} != 0 meta cgroup @classes ` +
            `ct mark set ct mark & ${hex(OTHER_BITS)} | ${hex(VISITOR)}`,
        },
        // No member's, for those have left this chain.
        ...fallen.map((family) => ({
          text: `meta mark & ${hex(MASK)} == 0 rt ip${family === 4 ? '' : '6'} nexthop ${UNUSED_NEXT_HOP[family]} goto outsider`,
        })),
      ],
    ],
    // After everybody's mangle: who sets the whole mark there has taken ours away.
    [
      'again',
      'route output -149',
      [
        local,
        // Not a member's, though somebody has just given it a group's bits.
        ...['!= tcp', `tcp ${SYN}`].map((kind) => ({
          text:
            `meta l4proto ${kind} ct direction original ${OURS} @marks ` +
            `meta cgroup != @classes ${OF_A_PROCESS} ${FORGET} accept`,
        })),
        { text: `${OURS} vmap @set_of_mark` },
      ],
    ],
    // Ahead of everybody's (100): who gives one address to all that is sent has not thought of another uplink.
    [
      'translate',
      'nat postrouting 99',
      [
        local,
        { text: `${OURS} vmap @source_of_mark` },
        { text: 'fib saddr . oif type local accept' },
        { text: `${OURS} @marks masquerade` },
      ],
    ],
    // Last of all, where the device is final: ours, and not by its way out, is stopped.
    [
      'guard',
      'filter postrouting 300',
      [
        local,
        // The program's TCP says what main's route takes at once; the peer has to know what this one takes.
        { text: `tcp flags & syn == syn ${OURS} @marks tcp option maxseg size set rt mtu` },
        { text: `meta l4proto != tcp ct direction reply ${OURS} == ${hex(VISITOR)} accept` },
        // Answered by the way of main's that it came by, whoever answers.
        {
          text: `meta l4proto != tcp ct direction reply meta nfproto . ct mark & ${hex(MASK)} vmap @guard_of_usual`,
        },
        { text: 'meta l4proto != tcp meta cgroup vmap @guard_of_class' },
        { text: `meta l4proto tcp ${SYN} meta cgroup vmap @guard_of_class` },
        { text: `${OURS} vmap @guard_of_mark` },
        { text: `ct direction reply ${OURS} @candidates goto guard_answered` },
        { text: 'ct state { invalid, new, related, untracked } meta cgroup vmap @guard_of_class' },
      ],
    ],
  ];
}
