import { candidateOf, markOf, NOWHERE, VISITOR } from '../../numbers.js';
import type { Arrival } from '../arrivals.js';
import type { Rule } from '../rules.js';
import {
  ANY_CLASS,
  bits,
  candidate,
  OF_THE_KERNEL,
  ofClass,
  setConnection,
  setMark,
  setPacket,
  UNKNOWN,
  UNMARKED,
  type Chain,
} from './text.js';

/**
 * New connections that came in by a group's path, or by another: a member may answer now; what was there before a group
 * is, is somebody else's. TCP only if nobody else has marked it, who may lead the answer back himself, and where the
 * device alone tells, if main would answer by another one: its SYN-ACK is anybody's (see below). xt_rpfilter works before
 * the routing decision only, when a port that leads to somebody behind this machine still looks like its own; what is
 * passed on is made anybody's again. Where main leads nowhere (`fallen`), it is asked with a mark for which our fallback
 * is not there.
 */
export function came(arrivals: readonly Arrival[], fallen: boolean): Chain[] {
  const byDevice = arrivals.filter(({ router }) => router === undefined);
  const rule = ({ slot, device, router, behind }: Arrival, match: string): Rule => ({
    text: `-i ${device} ${match} ${setConnection(candidateOf(slot))}`,
    note: [slot, device, router ?? (behind === true ? 'behind' : '')].join(' ').trimEnd(),
  });
  const arrived = arrivals.map((one) =>
    one.router === undefined
      ? rule(one, `! -p tcp ${UNKNOWN}`)
      : rule(one, `-m mac --mac-source ${one.router} ${UNKNOWN}`),
  );
  const marked = { text: '-p tcp -m connmark ! --mark 0 -j RETURN' };
  const table = 'mangle' as const;
  const elsewhere = `-m rpfilter ${fallen ? '--validmark ' : ''}--invert `;
  const asked = byDevice.map((one) => {
    // In IPv6 xt_rpfilter is content with a default route by the device that others come before.
    return rule(one, `-p tcp ${one.behind === true ? '' : elsewhere}${UNMARKED}`);
  });
  const without = { text: `-m mark --mark ${bits(0)} ${setPacket(NOWHERE)}`, note: 'without' };
  const again = { text: `-m mark --mark ${bits(NOWHERE)} ${setPacket(0)}`, note: 'again' };
  return [
    { table, name: 'via-rpf', rules: fallen && asked.length > 0 ? [without, ...asked, again] : asked },
    { table, name: 'via-in', rules: [marked, ...arrived, { text: `! -p tcp ${UNKNOWN} ${setConnection(VISITOR)}` }] },
    {
      table,
      name: 'via-fwd',
      rules: byDevice.map(({ slot }) => ({ text: `${candidate(slot)} ${setConnection(0)}`, note: String(slot) })),
    },
  ];
}

/**
 * The answer to a candidate. xt_cgroup sees no class at a SYN-ACK, which hangs on a request and on no socket yet: it
 * goes by the connection's mark alone. So does what the kernel says of itself: a reset, say, in a connection of a
 * group's that conntrack has forgotten. Whatever else is no member's makes the connection anybody's again.
 */
export function answers({ slot, groups }: Arrival): Chain {
  const own = groups.flatMap((group) => [
    { text: `${ofClass(group.classId)} ${setConnection(markOf(group.slot))}`, note: group.uuid.slice(0, 8) },
    { text: `${ofClass(group.classId)} ${setMark(group.slot)}`, note: group.uuid.slice(0, 8) },
    { text: `${ofClass(group.classId)} -j RETURN`, note: group.uuid.slice(0, 8) },
  ]);
  const synAck = '-p tcp --tcp-flags SYN,ACK SYN,ACK';
  return {
    table: 'mangle',
    name: `via-srv-${slot}`,
    rules: [
      { text: `${synAck} ${setMark(slot)}` },
      { text: `${synAck} -j RETURN` },
      ...own,
      { text: `${ANY_CLASS} -j RETURN` },
      ...['-p tcp --tcp-flags RST RST', '-m conntrack --ctstate RELATED'].flatMap((error) => [
        { text: `${error} ${OF_THE_KERNEL} ${setMark(slot)}` },
        { text: `${error} ${OF_THE_KERNEL} -j RETURN` },
      ]),
      { text: setConnection(0) },
    ],
  };
}
