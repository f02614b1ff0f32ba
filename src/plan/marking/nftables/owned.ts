import type { Facts } from '../../facts.js';
import { hex, markOf, VISITOR } from '../../numbers.js';
import type { Group } from '../../wayout.js';
import { arrivals } from '../arrivals.js';
import type { Rule } from '../rules.js';
import { ways } from './chains.js';
import { lans } from './elements.js';
import { pickedUp, receiving } from './receiving.js';
import { fromLan, lan, OF_A_PROCESS, OURS, stray } from './shared.js';

/** The table of the second guard. It goes with the process that made it (nft(8), `flags owner`), which alone may change it. */
export const OWNED_TABLE = 'inet via_guard';

/**
 * A packet of a translated connection that leaves by another device makes conntrack drop the entry (nf_nat_oif_changed).
 * The kernel then answers the peer's next packet with a reset, from the address it was sent to, by main's device.
 */
const STRANDED =
  'tcp flags & (fin | syn | rst | ack) == rst ct direction reply fib saddr . oif type != local jump stray';

/**
 * The second guard, as one line for `nft -i`, which runs it as one transaction. While `nft flush ruleset` or a firewall's
 * reload has removed our table, it stops the packets of groups that would leave by another way. It recognises them by
 * their class and by the connection mark, and passes everything that the first guard passes.
 */
export function ownedGuard(groups: readonly Group[], facts: Facts): string {
  const networks = lans(facts);
  const listOf = (set: string): string =>
    networks
      .filter(({ of }) => of === set)
      .map(({ key: [device, network] }) => `"${device}" . ${network}`)
      .join(', ');
  const listed = (rules: readonly Rule[]): string[] =>
    rules.flatMap(({ text }) => {
      const [, set] = /@(lan[46])/.exec(text) ?? [];
      if (set === undefined) return [text];
      return listOf(set) === '' ? [] : [text.replace(`@${set}`, `{ ${listOf(set)} }`)];
    });
  const ofGroup = (group: Group): string[] => [
    ...ways(group, facts, { pass: 'accept', stop: 'counter drop' }).map(({ text }) => text),
    ...(group.wayOut.lan ? ['jump lan'] : []),
    'counter drop',
  ];
  const to = (chain: string, keyOf: (group: Group) => string): string =>
    `{ ${groups.map((group) => `${keyOf(group)} : goto ${chain}_${group.slot}`).join(', ')} }`;
  const ofClass = ({ classId }: Group): string => String(classId);
  const classes = to('guard', ofClass);
  const anyClass = `{ ${groups.map(ofClass).join(', ')} }`;
  const outsiders = `meta cgroup != ${anyClass} ${OF_A_PROCESS}`;
  const arrived = { 4: arrivals(4, groups, facts), 6: arrivals(6, groups, facts) };
  const rules = [
    'oifname "lo" accept',
    'ct state invalid jump stray',
    STRANDED,
    `meta l4proto != tcp ct direction original meta cgroup vmap ${classes}`,
    `tcp flags & (syn | ack) == syn meta cgroup vmap ${classes}`,
    // This table goes a moment after the group. An outside program may then use the ends of a group's conntrack entry.
    `meta l4proto != tcp ${outsiders} accept`,
    `tcp flags & (syn | ack) == syn ${outsiders} accept`,
    `${OURS} vmap ${to('guard', ({ slot }) => hex(markOf(slot)))}`,
    `meta l4proto tcp ct direction reply ${OURS} == ${hex(VISITOR)} meta cgroup vmap ${classes}`,
    'ct direction reply accept',
    'meta l4proto tcp ct state established,related accept',
    `meta cgroup vmap ${classes}`,
  ];
  const received = [
    `iifname != "lo" meta pkttype unicast ct state new ${OURS} == 0 meta cgroup vmap ${to('receive', ofClass)}`,
    ...pickedUp(anyClass).map(({ text }) => text),
  ];
  const chains = [
    ['lan', listed(lan(facts.v6))],
    ['from_lan', listed(fromLan(facts.v6))],
    ['stray', stray(facts.v6).map(({ text }) => text)],
    ...groups.flatMap((group) => [
      [`guard_${group.slot}`, ofGroup(group)] as const,
      [`receive_${group.slot}`, receiving(group, arrived, () => 'accept').map(({ text }) => text)] as const,
    ]),
  ] as const;
  return [
    // Deleting a table that does not exist would be an error.
    `add table ${OWNED_TABLE} { flags owner; }`,
    `delete table ${OWNED_TABLE}`,
    `add table ${OWNED_TABLE} { flags owner; }`,
    ...chains.flatMap(([name, texts]) => [
      `add chain ${OWNED_TABLE} ${name}`,
      ...texts.map((text) => `add rule ${OWNED_TABLE} ${name} ${text}`),
    ]),
    // After the first guard, which counts the packets that it stops.
    `add chain ${OWNED_TABLE} guard { type filter hook postrouting priority 301; }`,
    ...rules.map((text) => `add rule ${OWNED_TABLE} guard ${text}`),
    // After the table's own chain, which knows what comes by a group's path.
    `add chain ${OWNED_TABLE} arrive { type filter hook input priority -149; }`,
    ...received.map((text) => `add rule ${OWNED_TABLE} arrive ${text}`),
  ].join('; ');
}
