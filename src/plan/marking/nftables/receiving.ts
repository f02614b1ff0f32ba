import { candidateOf, VISITOR } from '../../numbers.js';
import { FAMILIES, type Family } from '../../family.js';
import type { Group } from '../../wayout.js';
import type { Arrival } from '../arrivals.js';
import type { Rule } from '../rules.js';
import { leftAlone, OURS, protocol, setBits } from './shared.js';

/** The arrivals of all groups, by family. */
export type Arrivals = { readonly [F in Family]: readonly Arrival[] };

/**
 * A connection by the group's path becomes a candidate. By main's path, members of all groups answer candidates. So TCP
 * that conntrack has picked up there in the middle (nf_conntrack_tcp_loose) becomes one only if the kernel has found its
 * socket. Otherwise it may be a member's of another group, and that member's answers are stopped.
 */
export function arriving({ slot }: Group, arrivals: Arrivals): Rule[] {
  const candidate = setBits('ct', candidateOf(slot));
  const mains = FAMILIES.filter((family) => arrivals[family].some((one) => one.slot === slot && one.guests.length > 0));
  return [
    ...mains.flatMap((family) => {
      const middle = `${protocol(family)} tcp flags & (syn | ack) != syn`;
      // Without a socket there is no class to compare, and the first rule does not match.
      return [
        { text: `${middle} meta cgroup >= 0 ${candidate} return` },
        { text: `${middle} ${setBits('ct', VISITOR)} return` },
      ];
    }),
    { text: candidate, note: ['main', ...mains].join(' ') },
  ];
}

/**
 * A packet that conntrack takes for the first of a connection, but that the kernel has found a socket of the group for: a
 * connected UDP socket, or TCP whose conntrack entry is gone. An entry made by it would send the answers of the socket
 * back by the device that it came in by, and the sender's address can be forged. So it may only come by the group's own
 * path (`arrived` is what then happens to it) or from a connected network.
 */
export function receiving(group: Group, arrivals: Arrivals, arrived: (slot: number) => string): Rule[] {
  const own = FAMILIES.flatMap((family) =>
    arrivals[family]
      .filter(({ groups }) => groups.some(({ uuid }) => uuid === group.uuid))
      .map(({ slot, device, router }) => {
        const from = router === undefined ? '' : ` ether saddr ${router}`;
        const note = [slot, device, router ?? ''].join(' ').trimEnd();
        return { text: `${protocol(family)} iifname "${device}"${from} ${arrived(slot)}`, note };
      }),
  );
  return [
    ...leftAlone(group),
    ...own,
    ...(group.wayOut.lan ? [{ text: 'jump from_lan' }] : []),
    { text: 'counter drop' },
  ];
}

/**
 * TCP that conntrack has picked up in the middle (nf_conntrack_tcp_loose), by a packet that came in by no group's path. If
 * the kernel has not found the socket yet (ip_early_demux is 0), it may be a member's: its answers are stopped then.
 */
export function pickedUp(classes: string): Rule[] {
  const middle = `iifname != "lo" meta l4proto tcp tcp flags & (syn | ack) != syn ct state new ${OURS} == 0`;
  return [{ text: `${middle} meta cgroup != ${classes} accept` }, { text: `${middle} ${setBits('ct', VISITOR)}` }];
}

/**
 * A UDP datagram with extension headers (RFC 8200, 4): the kernel has not looked for its socket (ip6_rcv_finish_core), which
 * may be a connected one of a member. The flow gets no mark, so the guard stops a member's answers.
 */
export const BEHIND_HEADERS: Rule = {
  text: `iifname != "lo" meta nfproto ipv6 meta l4proto udp ip6 nexthdr != udp ct state new ${OURS} == 0 accept`,
};
