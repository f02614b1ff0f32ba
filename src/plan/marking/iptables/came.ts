import { candidateOf, markOf, NOWHERE, VISITOR } from '../../numbers.js';
import type { Family } from '../../family.js';
import type { Group } from '../../wayout.js';
import type { Arrival } from '../arrivals.js';
import { ownerOf, type Rule } from '../rules.js';
import {
  ANY_CLASS,
  bits,
  candidate,
  NO_CLASS,
  OF_THE_KERNEL,
  ofClass,
  setConnection,
  setMark,
  setPacket,
  SYN_ACK,
  UNKNOWN,
  UNMARKED,
  type Chain,
} from './text.js';

/**
 * The chains for new connections that arrive. A connection by a group's path becomes a candidate, any other datagram a
 * visitor. TCP becomes a candidate only if it has no other tool's mark, because that tool may route the answer. If the
 * device alone identifies the path and main has no default route by it, main must also answer by another device, since
 * its SYN-ACK has no class (see below). xt_rpfilter works only before the routing decision, where a forwarded port still
 * looks like a local one; a forwarded connection loses its mark again. If main has no default route (`fallen`), the look-up
 * uses a mark that skips our fallback.
 */
export function came(arrivals: readonly Arrival[], family: Family, fallen: boolean): Chain[] {
  const isAsked = ({ router, hasDefault }: Arrival): boolean => router === undefined && !hasDefault;
  const rule = ({ slot, device, router, hasDefault }: Arrival, match: string): Rule => ({
    text: `-i ${device} ${match} ${setConnection(candidateOf(slot))}`,
    note: [slot, device, router ?? (hasDefault ? 'main' : '')].join(' ').trimEnd(),
  });
  const marked = { text: '-p tcp -m connmark ! --mark 0 -j RETURN' };
  const arrived = arrivals.flatMap((one) => {
    const from = one.router === undefined ? '' : `-m mac --mac-source ${one.router} `;
    const known = rule(one, `${isAsked(one) ? '! -p tcp ' : from}${UNKNOWN}`);
    if (one.guests.length === 0) return [known];
    // See arriving() of nftables. xt_cgroup matches only packets with a socket.
    const middle = `-i ${one.device} ${from}-p tcp ! --syn ${UNKNOWN}`;
    return [
      ...[NO_CLASS, ANY_CLASS].map((found) => ({ text: `${middle} ${found} ${setConnection(candidateOf(one.slot))}` })),
      { text: `${middle} ${setConnection(VISITOR)}` },
      known,
    ];
  });
  const elsewhere = `-p tcp -m rpfilter ${fallen ? '--validmark ' : ''}--invert ${UNMARKED}`;
  const asked = arrivals.filter((one) => isAsked(one));
  const ask = asked.map((one) => rule(one, elsewhere));
  const without = { text: `-m mark --mark ${bits(0)} ${setPacket(NOWHERE)}`, note: 'without' };
  const again = { text: `-m mark --mark ${bits(NOWHERE)} ${setPacket(0)}`, note: 'again' };
  const table = 'mangle' as const;
  return [
    { table, name: 'via-rpf', rules: fallen && ask.length > 0 ? [without, ...ask, again] : ask },
    {
      table,
      name: 'via-in',
      rules: [
        // See BEHIND_HEADERS of nftables: the packet has more than the header of its upper-layer protocol.
        ...(family === 6 ? [{ text: '-p udp -m ipv6header ! --header prot -j RETURN' }] : []),
        marked,
        ...arrived,
        { text: `! -p tcp ${UNKNOWN} ${setConnection(VISITOR)}` },
        // TCP that conntrack has picked up in the middle (nf_conntrack_tcp_loose). If the kernel has not found the socket
        // yet (ip_early_demux is 0), it may be a member's: its answers are stopped then.
        { text: `-p tcp ! --syn ${NO_CLASS} -j RETURN` },
        { text: `-p tcp ! --syn ${UNKNOWN} ${setConnection(VISITOR)}` },
      ],
    },
    {
      table,
      name: 'via-fwd',
      rules: asked.map(({ slot }) => ({ text: `${candidate(slot)} ${setConnection(0)}`, note: String(slot) })),
    },
  ];
}

/**
 * The chain for answers to candidates. xt_cgroup sees no class of a SYN-ACK, which belongs to a request socket, so the
 * connection mark alone decides. The same holds for packets of the kernel itself, such as resets. Neither is diverted if
 * main uses this path anyway, because our table may have lost its route while main has it again. Any other packet that is
 * not a member's clears the mark.
 */
export function answers({ slot, groups, isUsual, guests, device }: Arrival): Chain {
  const astray = isUsual ? `! -o ${device} ` : '';
  const by = (group: Group, way: number): Rule[] =>
    [setConnection(markOf(way)), setMark(way), '-j RETURN'].map((target) => ({
      text: `${ofClass(group.classId)} ${target}`,
      note: ownerOf(group),
    }));
  const own = [...groups.flatMap((group) => by(group, group.slot)), ...guests.flatMap((group) => by(group, slot))];
  return {
    table: 'mangle',
    name: `via-srv-${slot}`,
    rules: [
      { text: `${astray}${SYN_ACK} ${setMark(slot)}`, ...(isUsual ? { note: device } : {}) },
      { text: `${SYN_ACK} -j RETURN` },
      ...own,
      { text: `${ANY_CLASS} -j RETURN` },
      ...['-p tcp --tcp-flags RST RST', '-m conntrack --ctstate RELATED'].flatMap((error) => [
        { text: `${astray}${error} ${OF_THE_KERNEL} ${setMark(slot)}` },
        { text: `${astray}${error} ${OF_THE_KERNEL} -j RETURN` },
      ]),
      { text: setConnection(0) },
    ],
  };
}
