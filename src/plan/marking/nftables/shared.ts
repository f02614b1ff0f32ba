import { hex, MASK, NOWHERE, OTHER_BITS } from '../../numbers.js';
import type { Family } from '../../wayout.js';
import type { Rule } from '../rules.js';

/** Our bits of a connection's mark. */
export const OURS = `ct mark & ${hex(MASK)}`;

/** The chains that the base chains lead to, whichever group it is about. */
export const sharedChains = (v6: boolean, fallen: readonly Family[]): (readonly [string, readonly Rule[]])[] => [
  ['lan', lan(v6)],
  ['from_lan', fromLan(v6)],
  ['reused', REUSED],
  ['answered', ANSWERED],
  ['guard_answered', GUARD_ANSWERED],
  ['stray', stray(v6)],
  ...(fallen.length === 0 ? [] : [['outsider', OUTSIDER] as const]),
];

/** As if there were no way: at once, and by the error that there would be, but for TCP's. */
const OUTSIDER: readonly Rule[] = [
  { text: 'meta l4proto tcp reject with tcp reset' },
  { text: `meta mark set meta mark & ${hex(OTHER_BITS)} | ${hex(NOWHERE)}` },
];

/** Not one of the kernel's own sockets, which have no uid; nft has no word for any uid. */
export const OF_A_PROCESS = 'meta skuid != 4294967295';

/** The answer to a SYN. */
const SYN_ACK = 'tcp flags & (syn | ack) == (syn | ack)';

/** The connection is again as if we had never been here. */
export const FORGET = `ct mark set ct mark & ${hex(OTHER_BITS)}`;

/** What is not sent through a gateway: networks that are connected, and what never crosses a router. */
export const lan = (v6: boolean): Rule[] => [
  // A source route makes a router of a neighbour (RFC 7126, RFC 5095, RFC 8754).
  { text: 'ip option lsrr exists return' },
  { text: 'ip option ssrr exists return' },
  ...(v6 ? [{ text: 'exthdr rt exists return' }] : []),
  { text: 'oifname . ip daddr @lan4 accept' },
  ...(v6 ? [{ text: 'oifname . ip6 daddr @lan6 accept' }, { text: 'ip6 daddr { fe80::/10, ff02::/16 } accept' }] : []),
];

/** Packets that come directly from a connected network. */
export const fromLan = (v6: boolean): Rule[] => [
  { text: 'iifname . ip saddr @lan4 accept' },
  ...(v6 ? [{ text: 'iifname . ip6 saddr @lan6 accept' }, { text: 'ip6 saddr fe80::/10 accept' }] : []),
];

/** A packet with a connection mark of a group that no member sent: an outside program uses the same ends now. */
const REUSED: readonly Rule[] = [{ text: `${OF_A_PROCESS} ${FORGET} return` }, { text: `${OURS} vmap @set_of_mark` }];

/** The answer to a candidate or a visitor, where it did not make the connection a group's: the kernel's own is left. */
const ANSWERED: readonly Rule[] = [
  { text: 'meta cgroup @classes return' },
  // A server's in the kernel.
  { text: `${SYN_ACK} meta cgroup != @classes ${FORGET} return` },
  // A SYN cookie's, which hangs on no socket (tcp_syncookies): whose it is, the next packet tells.
  { text: `${SYN_ACK} meta nfproto . oifname . ct mark & ${hex(MASK)} @usual return` },
  { text: `${SYN_ACK} ${OURS} vmap @set_of_candidate` },
  // By main's own way, as it was: our table may have lost its route, when main's is long back.
  { text: `meta nfproto . oifname . ct mark & ${hex(MASK)} @usual ${FORGET} return` },
  // About what a group's sockets had sent, and conntrack has forgotten: back by the path it came.
  { text: `tcp flags & rst == rst ${OURS} vmap @set_of_candidate` },
  { text: `ct state related ${OURS} vmap @set_of_candidate` },
  { text: FORGET },
];

/** The same answers where they leave: a member's to what came by another group's path, and the kernel's. */
const GUARD_ANSWERED: readonly Rule[] = [
  { text: 'meta cgroup vmap @guard_of_class' },
  { text: `${OF_A_PROCESS} return` },
  { text: `${OURS} vmap @guard_of_candidate` },
];

/**
 * What the kernel says of itself about a flow that conntrack does not find, so that nobody knows whose it was: a group's
 * UDP answer that nobody waits for (its entry is in a zone), a connection of a group whose entry went with the link.
 */
export const stray = (v6: boolean): Rule[] => [
  { text: `${OF_A_PROCESS} return` },
  { text: 'tcp flags & rst == rst drop' },
  ...['icmp', ...(v6 ? ['icmpv6'] : [])].map((protocol) => ({
    text: `${protocol} type destination-unreachable ${protocol} code port-unreachable drop`,
  })),
];
