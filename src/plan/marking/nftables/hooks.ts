import { hex, MASK, OTHER_BITS, VISITOR } from '../../numbers.js';
import { UNUSED_NEXT_HOP } from '../../fallback.js';
import type { Family } from '../../family.js';
import type { Rule } from '../rules.js';
import { BEHIND_HEADERS, pickedUp } from './receiving.js';
import { FORGET, OF_A_PROCESS, OURS } from './shared.js';

/** A base chain: name, hook, rules. Priorities are numbers, since nft 1.0.6 does not take every name everywhere. */
export type Hook = readonly [name: string, hook: string, rules: readonly Rule[]];

const SYN = 'tcp flags & (syn | ack) == syn';

/**
 * The base chains of the table. `fallen` are the families without a default route in main. A base chain jumps to a
 * group's chain by a map, so that its cost does not depend on the number of groups.
 */
export function hooks(v6: boolean, fallen: readonly Family[]): Hook[] {
  const datagrams = v6 ? 'meta l4proto { icmp, udp, ipv6-icmp }' : 'meta l4proto { icmp, udp }';
  const local: Rule = { text: 'oifname "lo" accept' };
  return [
    // After all raw chains (-300) and before conntrack (-200), so that another tool's notrack is undone.
    [
      'zone',
      'filter output -250',
      [
        local,
        { text: `${datagrams} meta cgroup vmap @zone_of_class` },
        { text: 'meta l4proto tcp meta cgroup @classes ct zone set 0' },
      ],
    ],
    // Right after conntrack (-200), so that other tools that use connection marks see none of our bits in the answer of an
    // outside program. Before marking, because a marked SYN would be dropped by the re-route, and TCP would time out.
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
    // Right after conntrack (-200), so that a reverse path filter behind it sees our mark.
    ['restore', 'filter prerouting -199', [{ text: `ct direction reply ${OURS} vmap @set_of_mark` }]],
    [
      'arrive',
      'filter input -150',
      [
        { text: `tcp flags & syn == syn ${OURS} vmap @clamp_of_mark` },
        { text: `iifname != "lo" meta pkttype unicast ct state new ${OURS} == 0 meta cgroup vmap @receive_of_class` },
        ...(v6 ? [BEHIND_HEADERS] : []),
        { text: `ct state new ${OURS} == 0 meta nfproto . iifname . ether saddr vmap @arrival_of_router` },
        { text: `ct state new ${OURS} == 0 meta nfproto . iifname vmap @arrival_of_device` },
        // The flow arrives by no group's path, and a member may answer it. Flows that are older than the group have no mark.
        {
          text:
            `iifname != "lo" meta l4proto != tcp ct state new ${OURS} == 0 ` +
            `ct mark set ct mark & ${hex(OTHER_BITS)} | ${hex(VISITOR)}`,
        },
        ...pickedUp('@classes'),
      ],
    ],
    // Right after conntrack too: a tool that saves packet marks to connection marks later saves ours. A tool that restores
    // marks in a chain that does not re-route comes after our re-route.
    [
      'classify',
      'route output -198',
      [
        local,
        // The class of this packet counts, not the mark of its conntrack entry, which may be older than the group.
        { text: `${datagrams} ct direction original meta cgroup vmap @new_of_class` },
        { text: `meta l4proto != tcp ct direction original ${OURS} @marks goto reused` },
        { text: `meta l4proto tcp ${SYN} meta cgroup vmap @new_of_class` },
        { text: `meta l4proto tcp ${SYN} ct direction original ${OURS} @marks goto reused` },
        { text: `${OURS} vmap @set_of_mark` },
        { text: 'ct state new meta cgroup vmap @new_of_class' },
        { text: `ct direction reply meta nfproto . ct mark & ${hex(MASK)} . meta cgroup vmap @answer_of_candidate` },
        { text: `ct direction reply ${OURS} @candidates goto answered` },
        // The mark of a removed group: the flow is treated as one that arrived by no group's path.
        {
          text:
            `meta l4proto != tcp ct direction reply ${OURS} != 0 meta cgroup @classes ` +
            `ct mark set ct mark & ${hex(OTHER_BITS)} | ${hex(VISITOR)}`,
        },
        // Packets of members have left this chain by now.
        ...fallen.map((family) => ({
          text: `meta mark & ${hex(MASK)} == 0 rt ip${family === 4 ? '' : '6'} nexthop ${UNUSED_NEXT_HOP[family]} goto outsider`,
        })),
      ],
    ],
    // After mangle (-150): a tool that sets the whole mark there has removed our bits.
    [
      'again',
      'route output -149',
      [
        local,
        // An outside program's packet to which another tool has just given a group's bits. A TCP connection keeps them: the
        // tool may give them to each of its packets.
        {
          text:
            `meta l4proto != tcp ct direction original ${OURS} @marks ` +
            `meta cgroup != @classes ${OF_A_PROCESS} ${FORGET} accept`,
        },
        { text: `${OURS} vmap @set_of_mark` },
      ],
    ],
    // Ahead of other tools' source translation (100), which may give one address to all packets.
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
    // Last of all, where the device is final: packets of a group that do not leave by its way out are stopped.
    [
      'guard',
      'filter postrouting 300',
      [
        local,
        // The program's TCP announces the segment size of main's route; the peer must get the one of this route.
        { text: `tcp flags & syn == syn ${OURS} @marks tcp option maxseg size set rt mtu` },
        { text: `meta l4proto != tcp ct direction reply ${OURS} == ${hex(VISITOR)} accept` },
        // The answer to a flow that arrived by main's own router leaves by it, whichever group answers.
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
