import type { Facts } from '../../facts.js';
import { markOf } from '../../numbers.js';
import type { Family } from '../../family.js';
import { keyOf, nameOfGroup, pathOf, type Group } from '../../wayout.js';
import { isRefused } from '../../refused.js';
import type { Arrival } from '../arrivals.js';
import { ownerOf, type Rule } from '../rules.js';
import { mainSources } from '../uplink.js';
import { KNOWN, setConnection, setMark, type Chain } from './text.js';

/** The chains of a group in one family. A chain comes after those that it jumps to. */
export function groupChains(group: Group, family: Family, arrivals: readonly Arrival[], facts: Facts): Chain[] {
  const { slot } = group;
  const owner = ownerOf(group);
  const mangle = { table: 'mangle', owner } as const;
  const sources = family === 4 ? mainSources(group.wayOut, facts) : [];
  return [
    { ...mangle, name: `via-new-${slot}`, rules: newConnection(group, family, facts) },
    { ...mangle, name: `via-guard-${slot}`, rules: guard(group, family, arrivals, facts) },
    { ...mangle, name: `via-sent-${slot}`, rules: counting(group, family) },
    { ...mangle, name: `via-receive-${slot}`, rules: receiving(group, family, arrivals, facts) },
    ...(isRefused(group, family, facts)
      ? [{ table: 'filter', owner, name: `via-rej-${slot}`, rules: refusal(group, family, facts) } as const]
      : []),
    ...(sources.length > 0
      ? [{ table: 'nat', owner, name: `via-nat-${slot}`, rules: translation(group, sources, facts) } as const]
      : []),
  ];
}

/** REJECT works in the filter table only, after the re-route. So TCP and ICMP of a refused family get no mark. */
function newConnection(group: Group, family: Family, facts: Facts): Rule[] {
  const { slot, wayOut } = group;
  const unmarked = family === 4 ? 'icmp' : 'ipv6-icmp';
  const pass = isRefused(group, family, facts)
    ? [{ text: '-p tcp -j RETURN' }, { text: `-p ${unmarked} -j RETURN` }]
    : [];
  const set = { text: setConnection(markOf(slot)) };
  return [...pass, set, { text: setMark(slot), note: keyOf(wayOut) }];
}

/**
 * Checks the device only: iptables cannot match the next hop, so two routers on one LAN cannot be told apart. On main's
 * device, an answer of a flow without a group's mark would go by main's router. It does not pass.
 */
function guard(group: Group, family: Family, arrivals: readonly Arrival[], facts: Facts): Rule[] {
  const { wayOut } = group;
  const path = pathOf(wayOut, family);
  const hasMains = facts.defaults.some((route) => route.family === family && route.device === path?.device);
  const isMains = arrivals.some(({ isUsual, groups }) => isUsual && groups.some(({ uuid }) => uuid === group.uuid));
  const tracked = '-m conntrack ! --ctstate UNTRACKED,INVALID';
  const passed =
    hasMains && !isMains ? [`${tracked} --ctdir ORIGINAL`, `${tracked} --ctdir REPLY ${KNOWN}`] : [tracked];
  const pass = path === undefined ? [] : passed.map((match) => ({ text: `-o ${path.device} ${match} -j RETURN` }));
  return [...pass, ...lanRules(wayOut.lan, family, facts), { text: '-j DROP', note: nameOfGroup(group) }];
}

/** See nftables/receiving.ts: a connected socket of the group receives what conntrack takes for a new connection. */
function receiving(group: Group, family: Family, arrivals: readonly Arrival[], facts: Facts): Rule[] {
  const own = arrivals
    .filter(({ groups }) => groups.some(({ uuid }) => uuid === group.uuid))
    .map(({ device, router }) => {
      const from = router === undefined ? '' : `-m mac --mac-source ${router} `;
      return { text: `-i ${device} ${from}-j RETURN`, note: [device, router ?? ''].join(' ').trimEnd() };
    });
  return [...own, ...lanRules(group.wayOut.lan, family, facts, 'from'), { text: '-j DROP' }];
}

/** Counts packets by their connection mark. The guard can see a packet a second time, by its class. */
function counting({ slot, wayOut }: Group, family: Family): Rule[] {
  const path = pathOf(wayOut, family);
  const guard = `-g via-guard-${slot}`;
  return [...(path === undefined ? [] : [{ text: `-o ${path.device} ${guard}` }]), { text: guard }];
}

function refusal({ wayOut }: Group, family: Family, facts: Facts): Rule[] {
  const unreachable = family === 4 ? 'icmp-net-unreachable' : 'icmp6-no-route';
  return [
    ...lanRules(wayOut.lan, family, facts),
    { text: '-p tcp -j REJECT --reject-with tcp-reset' },
    { text: `-j REJECT --reject-with ${unreachable}` },
  ];
}

/** iptables cannot match the next hop, so every packet by the device that is for no neighbour counts as the router's. */
function translation({ wayOut }: Group, sources: readonly string[], facts: Facts): Rule[] {
  const device = pathOf(wayOut, 4)?.device;
  return [
    ...lanRules(wayOut.lan, 4, facts),
    ...sources.map((source) => ({ text: `-o ${device} -s ${source} -j MASQUERADE`, note: source })),
  ];
}

function lanRules(lan: boolean, family: Family, { lans }: Facts, way: 'to' | 'from' = 'to'): Rule[] {
  if (!lan) return [];
  const [on, of] = way === 'to' ? ['-o', '-d'] : ['-i', '-s'];
  const networks = lans.filter((one) => one.family === family);
  const onLink = family === 6 ? ['fe80::/10', 'ff02::/16'] : [];
  return [
    ...networks.map(({ device, network }) => ({
      text: `${on} ${device} ${of} ${network} -j RETURN`,
      note: `${network} ${device}`,
    })),
    ...onLink.map((network) => ({ text: `${of} ${network} -j RETURN` })),
  ];
}
