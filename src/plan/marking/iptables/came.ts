import { candidateOf, markOf, VISITOR } from '../../numbers.js';
import type { Group } from '../../wayout.js';
import type { Arrival } from '../arrivals.js';
import type { Rule } from '../rules.js';
import {
  ANY_CLASS,
  candidate,
  OF_THE_KERNEL,
  ofClass,
  setConnection,
  setMark,
  SYN_ACK,
  UNKNOWN,
  UNMARKED,
  type Chain,
} from './text.js';

/**
 * New connections that came in by a group's path, or by another: a member may answer now; what was there before a group
 * is, is somebody else's. Where the device alone tells and main goes by another one, TCP only if main would answer by that
 * one: its SYN-ACK is anybody's (see below). There, and where it came by main's own way, TCP only if nobody else has marked
 * it, who may lead the answer back himself. xt_rpfilter works before the routing decision only, when a port that leads to
 * somebody behind this machine still looks like its own; what is passed on is made anybody's again.
 */
export function came(arrivals: readonly Arrival[]): Chain[] {
  const byDevice = arrivals.filter(({ router, isMains }) => router === undefined && !isMains);
  const rule = ({ slot, device, router }: Arrival, match: string): Rule => ({
    text: `-i ${device} ${match} ${setConnection(candidateOf(slot))}`,
    note: [slot, device, router].join(' ').trimEnd(),
  });
  const arrived = arrivals.flatMap((one) => {
    const from = one.router === undefined ? '' : `-m mac --mac-source ${one.router} `;
    if (from !== '' && !one.isMains) return [rule(one, `${from}${UNKNOWN}`)];
    const datagrams = rule(one, `! -p tcp ${from}${UNKNOWN}`);
    return one.isMains ? [datagrams, rule(one, `-p tcp ${from}${UNMARKED}`)] : [datagrams];
  });
  const table = 'mangle' as const;
  return [
    {
      table,
      name: 'via-rpf',
      rules: byDevice.map((one) => rule(one, `-p tcp -m rpfilter --invert ${UNMARKED}`)),
    },
    { table, name: 'via-in', rules: [...arrived, { text: `! -p tcp ${UNKNOWN} ${setConnection(VISITOR)}` }] },
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
 * group's that conntrack has forgotten. Neither where main leads there anyway: our table may have lost its route, when
 * main's is long back. Whatever else is no member's makes the connection anybody's again.
 */
export function answers({ slot, groups, isMains, guests, device }: Arrival): Chain {
  const astray = isMains ? `! -o ${device} ` : '';
  const by = ({ classId, uuid }: Group, way: number): Rule[] =>
    [setConnection(markOf(way)), setMark(way), '-j RETURN'].map((target) => ({
      text: `${ofClass(classId)} ${target}`,
      note: uuid.slice(0, 8),
    }));
  const own = [...groups.flatMap((group) => by(group, group.slot)), ...guests.flatMap((group) => by(group, slot))];
  return {
    table: 'mangle',
    name: `via-srv-${slot}`,
    rules: [
      { text: `${astray}${SYN_ACK} ${setMark(slot)}`, ...(isMains ? { note: device } : {}) },
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
