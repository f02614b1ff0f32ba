import type { Facts } from '../../facts.js';
import { fallbacks } from '../../fallback.js';
import { VISITOR, zoneOf } from '../../numbers.js';
import { keyOf, pathOf, wayOf, type Family, type Group } from '../../wayout.js';
import { isRefused } from '../../refused.js';
import type { Arrival } from '../arrivals.js';
import { ownerOf, type Rule } from '../rules.js';
import { mainSources, segmentOf } from '../uplink.js';
import { answers, came } from './came.js';
import { guards } from './guards.js';
import { ANY_CLASS, bits, candidate, OF_A_PROCESS, ofClass, ours, setConnection, setMark, type Chain } from './text.js';

/** The chains with a line for each group: what the built-in chains lead to. */
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
    ...came(arrivals, fallbacks(all, facts).has(family)),
    ...arrivals.map((one) => answers(one)),
    {
      table: mangle,
      name: 'via-out',
      rules: [
        // Not by a member, whose packets are marked by now: somebody outside has it now, or it is the kernel's.
        ...['! -p tcp', '-p tcp --syn'].flatMap((kind) =>
          each(
            ({ slot }) =>
              `${kind} -m conntrack --ctdir ORIGINAL -m mark --mark ${bits(0)} ${OF_A_PROCESS} ${ours(slot)} -g via-reused`,
          ),
        ),
        ...each(({ slot }) => `${ours(slot)} ${setMark(slot)}`),
        ...arrivals.map(({ slot }) => ({
          text: `-m conntrack --ctdir REPLY ${candidate(slot)} -g via-srv-${slot}`,
          note: String(slot),
        })),
        // A group's that is gone, by whose path it came or who answered it: as what came by no group's.
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

/**
 * What the kernel says of itself about a flow that conntrack does not find, so that nobody knows whose it was: a group's
 * UDP answer that nobody waits for (its entry is in a zone), a connection of a group whose entry went with the link.
 */
function stray(family: Family): Rule[] {
  const unreachable = family === 4 ? '-p icmp --icmp-type' : '-p ipv6-icmp --icmpv6-type';
  return [{ text: '-p tcp --tcp-flags RST RST -j DROP' }, { text: `${unreachable} port-unreachable -j DROP` }];
}

/**
 * What leaves by main's device as well, with an address of it, needs no translation, and so no zone of its own: after the
 * group it would keep the tuple of the answers from whoever sends from there next, whom conntrack then refuses.
 */
function untranslated({ classId, wayOut }: Group, family: Family, facts: Facts): string | undefined {
  const path = pathOf(wayOut, family);
  if (path === undefined || (family === 4 && mainSources(wayOut, facts).length > 0)) return undefined;
  return `${ofClass(classId)} -o ${path.device} -m addrtype --src-type LOCAL --limit-iface-out -j RETURN`;
}

/** What the peer says that it takes at once, in the answer to our SYN, lowered to what the device takes. */
function clamping({ slot, uuid, wayOut }: Group, family: Family, facts: Facts): Rule[] {
  const segment = segmentOf(wayOut, family, facts);
  if (segment === undefined) return [];
  const { device, size } = segment;
  const synAck = `-i ${device} -p tcp --tcp-flags SYN SYN ${ours(slot)}`;
  return [{ text: `${synAck} -j TCPMSS --set-mss ${size}`, note: `${uuid.slice(0, 8)} ${device} ${size}` }];
}
