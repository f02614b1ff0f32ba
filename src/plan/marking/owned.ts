import type { Facts } from '../facts.js';
import { hex, markOf } from '../numbers.js';
import type { Group } from '../wayout.js';
import { ways } from './chains.js';
import { lans } from './elements.js';
import { lan, OF_A_PROCESS, OURS, stray } from './shared.js';

/** The second guard's table. It goes with the process that made it (nft(8), `flags owner`), and nobody else removes it. */
export const OWNED_TABLE = 'inet via_guard';

/**
 * What is sent by another way while it is not translated makes conntrack forget the connection (nf_nat_oif_changed). What
 * comes for it then is news to the kernel, which answers that there is no such connection, from the address that it came
 * to, by main's device.
 */
const STRANDED =
  'tcp flags & (fin | syn | rst | ack) == rst ct direction reply fib saddr . oif type != local jump stray';

/**
 * The second guard, as one line for `nft -i`, which makes it in one transaction: while `nft flush ruleset`, or a firewall
 * that reloads, has taken away what marks a group's packets, none of them leaves by another way. It stops by the class
 * and by the mark that the connection still has, and lets through all that the first one does.
 */
export function ownedGuard(groups: readonly Group[], facts: Facts): string {
  const networks = lans(facts);
  const listOf = (set: string): string =>
    networks
      .filter(({ of }) => of === set)
      .map(({ key: [device, network] }) => `"${device}" . ${network}`)
      .join(', ');
  const inLan = lan(facts.v6).flatMap(({ text }) => {
    const [, set] = /@(lan[46])/.exec(text) ?? [];
    if (set === undefined) return [text];
    return listOf(set) === '' ? [] : [text.replace(`@${set}`, `{ ${listOf(set)} }`)];
  });
  const ofGroup = (group: Group): string[] => [
    ...ways(group, facts, { pass: 'accept', stop: 'counter drop' }).map(({ text }) => text),
    ...(group.wayOut.lan ? ['jump lan'] : []),
    'counter drop',
  ];
  const to = (keyOf: (group: Group) => string): string =>
    `{ ${groups.map((group) => `${keyOf(group)} : goto guard_${group.slot}`).join(', ')} }`;
  const classes = to(({ classId }) => String(classId));
  const outsiders = `meta cgroup != { ${groups.map(({ classId }) => classId).join(', ')} } ${OF_A_PROCESS}`;
  const rules = [
    'oifname "lo" accept',
    'ct state invalid jump stray',
    STRANDED,
    `meta l4proto != tcp ct direction original meta cgroup vmap ${classes}`,
    `tcp flags & (syn | ack) == syn meta cgroup vmap ${classes}`,
    // This table goes a moment after the group. An entry of the group's may then be a program's outside.
    `meta l4proto != tcp ${outsiders} accept`,
    `tcp flags & (syn | ack) == syn ${outsiders} accept`,
    `${OURS} vmap ${to(({ slot }) => hex(markOf(slot)))}`,
    'ct direction reply accept',
    'meta l4proto tcp ct state established,related accept',
    `meta cgroup vmap ${classes}`,
  ];
  const chains = [
    ['lan', inLan],
    ['stray', stray(facts.v6).map(({ text }) => text)],
    ...groups.map((group) => [`guard_${group.slot}`, ofGroup(group)] as const),
  ] as const;
  return [
    // Deleting what is not there would be an error.
    `add table ${OWNED_TABLE} { flags owner; }`,
    `delete table ${OWNED_TABLE}`,
    `add table ${OWNED_TABLE} { flags owner; }`,
    ...chains.flatMap(([name, texts]) => [
      `add chain ${OWNED_TABLE} ${name}`,
      ...texts.map((text) => `add rule ${OWNED_TABLE} ${name} ${text}`),
    ]),
    // After the first guard, which counts what it stops.
    `add chain ${OWNED_TABLE} guard { type filter hook postrouting priority 301; }`,
    ...rules.map((text) => `add rule ${OWNED_TABLE} guard ${text}`),
  ].join('; ');
}
