import type { Family } from '../../family.js';
import { ANY_CLASS, bits, KNOWN, OF_THE_KERNEL, UNKNOWN, UNMARKED, VISITING, type Table } from './text.js';

/** A rule of ours in a built-in chain that jumps to a chain of ours. */
export interface Jump {
  readonly table: Table;
  readonly chain: string;
  /** The position to insert it at, from 1 on; undefined appends it. */
  readonly position?: number;
  readonly text: string;
}

/** The rules in built-in chains that jump to our chains. */
export function jumps(family: Family): Jump[] {
  const ping = family === 4 ? 'icmp' : 'ipv6-icmp';
  const list = (table: Table, chain: string, ...texts: string[]): Jump[] =>
    texts.map((text, i) => ({ table, chain, position: i + 1, text }));
  const datagrams = (text: string): string[] => ['udp', ping].map((protocol) => `-p ${protocol} ${text}`);
  return [
    ...list('raw', 'OUTPUT', ...datagrams(`! -o lo ${ANY_CLASS} -j via-raw`)),
    ...list('mangle', 'PREROUTING', `-m conntrack --ctdir REPLY ${KNOWN} -j via-pre`),
    {
      table: 'mangle',
      chain: 'PREROUTING',
      text: `! -i lo -p tcp -m conntrack --ctstate NEW ${UNMARKED} -m addrtype --dst-type LOCAL -j via-rpf`,
    },
    ...list(
      'mangle',
      'INPUT',
      `! -i lo -m pkttype --pkt-type unicast -m conntrack --ctstate NEW ${UNKNOWN} ${ANY_CLASS} -j via-receive`,
      `! -i lo -m conntrack --ctstate NEW ${UNKNOWN} -j via-in`,
    ),
    ...list(
      'mangle',
      'FORWARD',
      '-p tcp -m conntrack --ctstate NEW -m connmark --mark 0x80000000/0x80000000 -j via-fwd',
    ),
    ...list(
      'mangle',
      'OUTPUT',
      // The class of this packet counts, not the mark of its conntrack entry, which may be older than the group.
      ...datagrams(`! -o lo -m conntrack --ctdir ORIGINAL ${ANY_CLASS} -j via-new`),
      `! -o lo -p tcp --syn ${ANY_CLASS} -j via-new`,
      `! -o lo ${KNOWN} -j via-out`,
      `! -o lo -m conntrack --ctdir REPLY ${VISITING} -j via-answered`,
      `! -o lo -m connmark --mark ${bits(0)} -m conntrack --ctstate NEW ${ANY_CLASS} -j via-new`,
    ),
    ...list(
      'mangle',
      'POSTROUTING',
      // The peer must get the segment size of the way out's device, not of main's.
      `! -o lo -p tcp --tcp-flags SYN SYN ${KNOWN} -j TCPMSS --clamp-mss-to-pmtu`,
      `! -o lo ! -p tcp ${ANY_CLASS} -j via-class`,
      `! -o lo -p tcp --syn ${ANY_CLASS} -j via-class`,
      `! -o lo ${KNOWN} -j via-guard`,
      // Picked up by a packet that came in by no group's path (see came.ts).
      `! -o lo -p tcp -m conntrack --ctdir REPLY ${VISITING} ${ANY_CLASS} -j via-class`,
      `! -o lo -m conntrack --ctstate NEW,RELATED,UNTRACKED,INVALID ${ANY_CLASS} -j via-class`,
    ),
    ...list('nat', 'POSTROUTING', `! -o lo ${KNOWN} -j via-nat`),
    ...list(
      'filter',
      'OUTPUT',
      `! -o lo -p tcp --syn ${ANY_CLASS} -j via-rej`,
      `! -o lo -p ${ping} ${ANY_CLASS} -j via-rej`,
      `! -o lo -m conntrack --ctstate INVALID ${OF_THE_KERNEL} -j via-stray`,
    ),
  ];
}
