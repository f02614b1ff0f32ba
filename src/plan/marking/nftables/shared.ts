import { hex, MASK, NOWHERE, OTHER_BITS } from '../../numbers.js';
import { FAMILIES, type Family } from '../../family.js';
import { wayOf, type Group } from '../../wayout.js';
import type { Rule } from '../rules.js';

/** Our bits of a connection's mark. */
export const OURS = `ct mark & ${hex(MASK)}`;

/** The chains that all groups share. */
export const sharedChains = (v6: boolean, fallen: readonly Family[]): (readonly [string, readonly Rule[]])[] => [
  ['lan', lan(v6)],
  ['from_lan', fromLan(v6)],
  ['reused', REUSED],
  ['answered', ANSWERED],
  ['guard_answered', GUARD_ANSWERED],
  ['stray', stray(v6)],
  ...(fallen.length === 0 ? [] : [['outsider', OUTSIDER] as const]),
];

/** Outside programs, where main has no route: they fail at once with the error of a missing route, except TCP. */
const OUTSIDER: readonly Rule[] = [
  { text: 'meta l4proto tcp reject with tcp reset' },
  { text: `meta mark set meta mark & ${hex(OTHER_BITS)} | ${hex(NOWHERE)}` },
];

/** Sent by a process. The kernel's own sockets have no user id, and nft has no expression for any user id. */
export const OF_A_PROCESS = 'meta skuid != 4294967295';

/** The answer to a SYN. */
const SYN_ACK = 'tcp flags & (syn | ack) == (syn | ack)';

/** Clears our bits of the connection mark. */
export const FORGET = `ct mark set ct mark & ${hex(OTHER_BITS)}`;

/** Packets that are not sent through a gateway: to connected networks and to link-local addresses. */
export const lan = (v6: boolean): Rule[] => [
  // With a source route a neighbour acts as a router (RFC 7126, RFC 5095, RFC 8754).
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

/** The answers to candidates that did not make the connection a group's: those of outside programs and of the kernel. */
const ANSWERED: readonly Rule[] = [
  { text: 'meta cgroup @classes return' },
  // The answer of a server outside all groups.
  { text: `${SYN_ACK} meta cgroup != @classes ${FORGET} return` },
  // A SYN cookie has no socket (tcp_syncookies). The next packet shows which socket it belongs to.
  { text: `${SYN_ACK} meta nfproto . oifname . ct mark & ${hex(MASK)} @usual return` },
  { text: `${SYN_ACK} ${OURS} vmap @set_of_candidate` },
  // By main's own way as before: our table may have lost its route while main has it again.
  { text: `meta nfproto . oifname . ct mark & ${hex(MASK)} @usual ${FORGET} return` },
  // A reset or error about packets of a group that conntrack has forgotten leaves by the path it arrived by.
  { text: `tcp flags & rst == rst ${OURS} vmap @set_of_candidate` },
  { text: `ct state related ${OURS} vmap @set_of_candidate` },
  { text: FORGET },
];

/** The guard for the same answers: a member's answer to a flow by another group's path, and the kernel's own. */
const GUARD_ANSWERED: readonly Rule[] = [
  { text: 'meta cgroup vmap @guard_of_class' },
  { text: `${OF_A_PROCESS} return` },
  { text: `${OURS} vmap @guard_of_candidate` },
];

/**
 * Resets and errors of the kernel itself about a flow that conntrack does not find, so that its group is unknown: a late
 * UDP answer to a group (its entry is in a zone), or a connection of a group whose entry was purged with the link.
 */
export const stray = (v6: boolean): Rule[] => [
  { text: `${OF_A_PROCESS} return` },
  { text: 'tcp flags & rst == rst drop' },
  ...['icmp', ...(v6 ? ['icmpv6'] : [])].map((protocol) => ({
    text: `${protocol} type destination-unreachable ${protocol} code port-unreachable drop`,
  })),
];

/** Sets our bits of the packet mark (`meta`) or of the connection mark (`ct`). Other bits stay. */
export const setBits = (of: 'meta' | 'ct', value: number): string =>
  `${of} mark set ${of} mark & ${hex(OTHER_BITS)} | ${hex(value)}`;

/** Matches a family. */
export const protocol = (family: Family): string => `meta nfproto ipv${family}`;

/** A family that is left alone is neither marked nor translated nor guarded. */
export const leftAlone = ({ wayOut }: Group): Rule[] =>
  FAMILIES.filter((family) => wayOf(wayOut, family) === 'allow').map((family) => ({
    text: `${protocol(family)} accept`,
  }));
