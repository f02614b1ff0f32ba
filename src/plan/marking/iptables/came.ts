import { candidateOf, markOf, NOWHERE, VISITOR } from '../../numbers.js';
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
 * New connections that came in by a group's path, or by another: a member may answer now; what was there before a group
 * is, is somebody else's. TCP only if nobody else has marked it, who may lead the answer back himself; and where main has
 * no default route by the device, which alone tells, if main would answer by another one: its SYN-ACK is anybody's (see
 * below). xt_rpfilter works before the routing decision only, when a port that leads to somebody behind this machine still
 * looks like its own; what is passed on is made anybody's again. Where main leads nowhere (`fallen`), it is asked with a
 * mark for which our fallback is not there.
 */
export function came(arrivals: readonly Arrival[], fallen: boolean): Chain[] {
  const isAsked = ({ router, hasDefault }: Arrival): boolean => router === undefined && !hasDefault;
  const rule = ({ slot, device, router, hasDefault }: Arrival, match: string): Rule => ({
    text: `-i ${device} ${match} ${setConnection(candidateOf(slot))}`,
    note: [slot, device, router ?? (hasDefault ? 'main' : '')].join(' ').trimEnd(),
  });
  const marked = { text: '-p tcp -m connmark ! --mark 0 -j RETURN' };
  const arrived = arrivals.map((one) => {
    const from = one.router === undefined ? '' : `-m mac --mac-source ${one.router} `;
    return rule(one, `${isAsked(one) ? '! -p tcp ' : from}${UNKNOWN}`);
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
 * The answer to a candidate. xt_cgroup sees no class at a SYN-ACK, which hangs on a request and on no socket yet: it
 * goes by the connection's mark alone. So does what the kernel says of itself: a reset, say, in a connection of a
 * group's that conntrack has forgotten. Neither where main leads there anyway: our table may have lost its route, when
 * main's is long back. Whatever else is no member's makes the connection anybody's again.
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
