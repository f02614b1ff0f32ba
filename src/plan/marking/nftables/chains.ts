import type { Facts } from '../../facts.js';
import { candidateOf, markOf, zoneOf } from '../../numbers.js';
import { FAMILIES } from '../../family.js';
import { keyOf, nameOfGroup, pathOf, type Group } from '../../wayout.js';
import { isRefused } from '../../refused.js';
import type { Rule } from '../rules.js';
import { mainSources, segmentOf, toMany } from '../uplink.js';
import { arriving, receiving, type Arrivals } from './receiving.js';
import { leftAlone, protocol, setBits } from './shared.js';

/** The chains of a group, as name and rules. A chain comes after those that it jumps to. */
export function groupChains(group: Group, facts: Facts, arrivals: Arrivals): (readonly [string, readonly Rule[]])[] {
  const { slot } = group;
  return [
    [`set_${slot}`, [{ text: setBits('meta', markOf(slot)) }]],
    [`new_${slot}`, newConnection(group)],
    [`zone_${slot}`, zone(group, facts)],
    ...(refuses(group, facts) ? [[`refuse_${slot}`, refusal(group, facts)] as const] : []),
    [`arrive_${slot}`, arriving(group, arrivals)],
    [`receive_${slot}`, receiving(group, arrivals, (to) => `${setBits('ct', candidateOf(to))} accept`)],
    ...(clamps(group, facts) ? [[`clamp_${slot}`, clamping(group, facts)] as const] : []),
    ...(translates(group, facts) ? [[`source_${slot}`, translation(group, facts)] as const] : []),
    [`guard_${slot}`, guard(group, facts)],
  ];
}

/** True if the group refuses a family. */
export const refuses = (group: Group, facts: Facts): boolean =>
  FAMILIES.some((family) => isRefused(group, family, facts));

function newConnection(group: Group): Rule[] {
  const text = `${setBits('ct', markOf(group.slot))} goto set_${group.slot}`;
  return [...leftAlone(group), { text, note: keyOf(group.wayOut) }];
}

/**
 * The zone of a group's datagrams. A packet that keeps its device and source address needs no translation, and so no zone:
 * a conntrack entry in a zone would outlive the group and clash with the next local sender that uses the same tuple.
 */
function zone(group: Group, facts: Facts): Rule[] {
  const asItIs = FAMILIES.flatMap((family) => {
    const path = pathOf(group.wayOut, family);
    if (path === undefined || (family === 4 && translates(group, facts))) return [];
    return [{ text: `${protocol(family)} oifname "${path.device}" fib saddr . oif type local ct zone set 0 accept` }];
  });
  return [
    ...leftAlone(group),
    ...toMany(group.wayOut, facts),
    ...asItIs,
    { text: `ct original zone set ${zoneOf(keyOf(group.wayOut))} accept` },
  ];
}

/**
 * The refusal of a family. TCP gets a reset. ICMP gets an ICMP error, because ping does not report an error of sendto().
 * Everything else is marked and fails at once by the table's `unreachable` route, whose error is better than EPERM.
 */
function refusal(group: Group, facts: Facts): Rule[] {
  const others = FAMILIES.filter((family) => !isRefused(group, family, facts));
  return [
    ...others.map((family) => ({ text: `${protocol(family)} accept` })),
    ...(group.wayOut.lan ? [{ text: 'jump lan' }] : []),
    { text: 'meta l4proto tcp reject with tcp reset' },
    { text: 'reject with icmpx no-route', note: `but ${others.join(' ')}`.trimEnd() },
  ];
}

/** True if the group's device has a smaller MTU than another device, which a program's own route may use. */
export const clamps = (group: Group, facts: Facts): boolean => clamping(group, facts).length > 0;

/**
 * Lowers the peer's maximum segment size to the device's MTU (RFC 6691). The program's TCP uses the MTU of main's route,
 * which may be larger.
 */
function clamping({ wayOut }: Group, facts: Facts): Rule[] {
  return FAMILIES.filter((family) => family === 4 || facts.v6).flatMap((family) => {
    const segment = segmentOf(wayOut, family, facts);
    if (segment === undefined) return [];
    const { device, size } = segment;
    return [{ text: `${protocol(family)} iifname "${device}" tcp option maxseg size set ${size}`, note: String(size) }];
  });
}

/** True if the group's router is in another network than main's, on the same device. */
export const translates = (group: Group, facts: Facts): boolean => translation(group, facts).length > 0;

/** The source address that main's route gives is an address of the device, but does not work behind this router. */
function translation({ wayOut }: Group, facts: Facts): Rule[] {
  const sources = mainSources(wayOut, facts);
  if (sources.length === 0) return [];
  const list = sources.join(', ');
  return [
    { text: `ip saddr { ${list} } rt ip nexthop ${pathOf(wayOut, 4)?.nextHop} masquerade`, note: list },
    { text: 'fib saddr . oif type local accept' },
    { text: 'masquerade' },
  ];
}

function guard(group: Group, facts: Facts): Rule[] {
  const { slot, wayOut } = group;
  const stop = `counter name stopped_${slot} drop`;
  return [
    // Packets by the group's paths pass, and so do packets to connected networks and of a family that is left alone.
    ...ways(group, facts, { pass: `counter name sent_${slot} accept`, stop }),
    ...(wayOut.lan ? [{ text: 'jump lan' }] : []),
    { text: stop, note: nameOfGroup(group) },
  ];
}

/** The verdicts for packets by a group's path, and for those that have another device's source address. */
interface Verdicts {
  readonly pass: string;
  readonly stop: string;
}

/**
 * What may leave: of a family that is left alone, and by the group's paths. The next hop counts as well: another router
 * on the same LAN is another uplink. And the source: while a device that had one has no address, it is another device's,
 * and conntrack would keep to that.
 */
export function ways(group: Group, { v6, numbered }: Facts, { pass, stop }: Verdicts): Rule[] {
  const paths = FAMILIES.filter((family) => family === 4 || v6).flatMap((family) => {
    const path = pathOf(group.wayOut, family);
    if (path === undefined) return [];
    const nextHop = path.nextHop === undefined ? '' : ` rt ip${family === 4 ? '' : '6'} nexthop ${path.nextHop}`;
    const out = `${protocol(family)} oifname "${path.device}"`;
    const isNumbered = numbered?.has(`${family} ${path.device}`) === true;
    const source = { text: `${out} ct direction original fib saddr . oif type != local ${stop}`, note: path.device };
    const tracked = `ct state != { invalid, untracked } ${pass}`;
    // What is for many has no next hop (RFC 1112): the link is all that it can be sent by.
    const many = family === 4 ? 'fib daddr . oif type { broadcast, multicast }' : 'ip6 daddr ff00::/8';
    return [
      ...(isNumbered ? [source] : []),
      { text: `${out}${nextHop} ${tracked}` },
      ...(nextHop === '' ? [] : [{ text: `${out} ${many} ${tracked}` }]),
    ];
  });
  return [...leftAlone(group), ...paths];
}
