import type { Facts } from '../../facts.js';
import { fallbacks } from '../../fallback.js';
import { VISITOR, zoneOf } from '../../numbers.js';
import type { Family } from '../../family.js';
import { keyOf, pathOf, wayOf, type Group } from '../../wayout.js';
import { isRefused } from '../../refused.js';
import type { Arrival } from '../arrivals.js';
import { ownerOf, type Rule } from '../rules.js';
import { mainSources, segmentOf } from '../uplink.js';
import { answers, came } from './came.js';
import { guards } from './guards.js';
import { ANY_CLASS, bits, candidate, OF_A_PROCESS, ofClass, ours, setConnection, setMark, type Chain } from './text.js';

/** The chains that the built-in chains jump to. They have a rule for each group. */
export function sharedChains(
  all: readonly Group[],
  family: Family,
  arrivals: readonly Arrival[],
  facts: Facts,
): Chain[] {
  const groups = all.filter(({ wayOut }) => wayOf(wayOut, family) !== 'allow');
  const each = (rule: (group: Group) => string | undefined): Rule[] =>
    groups.flatMap((group) => {
      const text = rule(group);
      return text === undefined ? [] : [{ text, note: ownerOf(group) }];
    });
  const refused = (group: Group): boolean => isRefused(group, family, facts);
  const mangle = 'mangle' as const;
  return [
    {
      table: 'raw',
      name: 'via-raw',
      rules: [
        ...each((group) => untranslated(group, family, facts)),
        ...each(({ classId, wayOut }) => `${ofClass(classId)} -j CT --zone-orig ${zoneOf(keyOf(wayOut))}`),
      ],
    },
    {
      table: mangle,
      name: 'via-pre',
      rules: [
        ...groups.flatMap((group) => clamping(group, family, facts)),
        ...each(({ slot }) => `${ours(slot)} ${setMark(slot)}`),
      ],
    },
    ...came(arrivals, family, fallbacks(all, facts).has(family)),
    ...arrivals.map((one) => answers(one)),
    {
      table: mangle,
      name: 'via-out',
      rules: [
        // Packets of members are marked by now. This one is from an outside program or from the kernel. A new TCP connection
        // (not confirmed yet) has its mark from another tool, which may give it to each of its packets.
        ...['! -p tcp -m conntrack', '-p tcp --syn -m conntrack --ctstatus CONFIRMED'].flatMap((kind) =>
          each(
            ({ slot }) =>
              `${kind} --ctdir ORIGINAL -m mark --mark ${bits(0)} ${OF_A_PROCESS} ${ours(slot)} -g via-reused`,
          ),
        ),
        ...each(({ slot }) => `${ours(slot)} ${setMark(slot)}`),
        ...arrivals.map(({ slot }) => ({
          text: `-m conntrack --ctdir REPLY ${candidate(slot)} -g via-srv-${slot}`,
          note: String(slot),
        })),
        // The mark of a removed group: the flow is treated as one that arrived by no group's path.
        ...each(
          ({ classId }) =>
            `! -p tcp -m conntrack --ctdir REPLY -m mark --mark ${bits(0)} ${ofClass(classId)} ${setConnection(VISITOR)}`,
        ),
      ],
    },
    {
      table: mangle,
      name: 'via-receive',
      rules: each(({ slot, classId }) => `${ofClass(classId)} -g via-receive-${slot}`),
    },
    { table: mangle, name: 'via-new', rules: each(({ slot, classId }) => `${ofClass(classId)} -g via-new-${slot}`) },
    { table: mangle, name: 'via-reused', rules: [{ text: setConnection(0) }] },
    { table: mangle, name: 'via-answered', rules: [{ text: `${ANY_CLASS} -j RETURN` }, { text: setConnection(0) }] },
    ...guards(groups, arrivals),
    {
      table: 'nat',
      name: 'via-nat',
      rules: [
        ...each(({ slot, wayOut }) =>
          family === 4 && mainSources(wayOut, facts).length > 0 ? `${ours(slot)} -j via-nat-${slot}` : undefined,
        ),
        { text: '-m addrtype --src-type LOCAL --limit-iface-out -j RETURN' },
        ...each(({ slot }) => `${ours(slot)} -j MASQUERADE`),
      ],
    },
    {
      table: 'filter',
      name: 'via-rej',
      rules: each((group) => (refused(group) ? `${ofClass(group.classId)} -g via-rej-${group.slot}` : undefined)),
    },
    { table: 'filter', name: 'via-stray', rules: stray(family) },
  ];
}

/** See nftables/shared.ts: resets and errors of the kernel about a flow that conntrack does not find. */
function stray(family: Family): Rule[] {
  const unreachable = family === 4 ? '-p icmp --icmp-type' : '-p ipv6-icmp --icmpv6-type';
  return [{ text: '-p tcp --tcp-flags RST RST -j DROP' }, { text: `${unreachable} port-unreachable -j DROP` }];
}

/** See nftables/chains.ts: a packet that keeps its device and source address needs no zone. */
function untranslated({ classId, wayOut }: Group, family: Family, facts: Facts): string | undefined {
  const path = pathOf(wayOut, family);
  if (path === undefined || (family === 4 && mainSources(wayOut, facts).length > 0)) return undefined;
  return `${ofClass(classId)} -o ${path.device} -m addrtype --src-type LOCAL --limit-iface-out -j RETURN`;
}

/** Lowers the peer's maximum segment size, in the answer to our SYN, to the device's MTU (RFC 6691). */
function clamping({ slot, uuid, wayOut }: Group, family: Family, facts: Facts): Rule[] {
  const segment = segmentOf(wayOut, family, facts);
  if (segment === undefined) return [];
  const { device, size } = segment;
  const synAck = `-i ${device} -p tcp --tcp-flags SYN SYN ${ours(slot)}`;
  return [{ text: `${synAck} -j TCPMSS --set-mss ${size}`, note: `${uuid.slice(0, 8)} ${device} ${size}` }];
}
