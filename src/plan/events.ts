import type { Facts } from './facts.js';
import { PROTOCOL } from './numbers.js';
import type { Firewall } from './things.js';
import { FAMILIES, pathOf, type Group, type Path } from './wayout.js';

/** Extended regular expressions, for grep: of a tool's lines those that matter, and of these those that do not. */
export interface Filter {
  readonly loud: string;
  readonly quiet: string;
}

/** What was seen when all was put in order. */
export type Seen = Pick<Facts, 'neighbours'> & {
  /** Each device's flags and MTU, as `ip` prints them. */
  readonly links: ReadonlyMap<string, string>;
  /** Each device's number, which it keeps when it gets another name. */
  readonly indexes: ReadonlyMap<string, number>;
  /** `<next hop>%<device>` of the routers that the kernel has asked for in vain. */
  readonly failed: ReadonlySet<string>;
};

/**
 * What `ip -N -o monitor link route rule neigh` prints when a group may need to be mended: a rule of ours is gone, or one
 * of others has come or gone; a route of ours is gone; main's networks or any default route have changed; a device or a
 * router of a group is not as it was seen. What a busy host prints beside that wakes nobody.
 */
export function networkEvents(groups: readonly Group[], seen: Seen): Filter {
  const paths = pathsOf(groups);
  const devices = [...new Set(paths.map(({ device }) => quoted(device)))];
  const numbers = paths.flatMap(({ device }) => seen.indexes.get(device) ?? []);
  const own = devices.length === 0 ? 'nothing' : devices.join('|');
  const loud = [
    // It has lost count of what there was.
    'netlink receive error',
    `${START}[0-9]+:[[:blank:]]+(not )?from `,
    `${START}[0-9]+: (${own})(@[^:]*)?: `,
    ...(numbers.length === 0 ? [] : [`${START}(${[...new Set(numbers)].join('|')}): `]),
    `^Deleted .* proto ${PROTOCOL}( |$)`,
    `${START}([0-9]+ )?(default|0\\.0\\.0\\.0/1|128\\.0\\.0\\.0/1|::/1|8000::/1)( |$)`,
    `${START}[0-9a-f.:]+(/[0-9]+)? dev [^ ]+ (table [0-9]+ )?proto (2|9|16) `,
    `${START}2 [^ ]+ dev (${own}) `,
    ...hopsOf(groups).map(({ nextHop, device }) => `${START}${quoted(nextHop)} dev ${quoted(device)} .*${ANSWER}`),
  ];
  const quiet = [
    `^[0-9]+:[[:blank:]].* proto ${PROTOCOL}( |$)`,
    `${START}(5 )?(ff00::/8|fe80::/64) dev `,
    ...[...seen.links].map(([device, shown]) => `^[0-9]+: ${quoted(device)}(@[^:]*)?: ${shown} `),
    ...hopsOf(groups).flatMap((path) => known(path, seen)),
  ];
  return { loud: loud.join('|'), quiet: quiet.join('|') };
}

/** What `nft monitor` prints when something of ours, or the tables of iptables that hold it, is taken away. */
export function firewallEvents(firewalls: readonly Firewall[]): Filter {
  const loud = [
    ...(firewalls.includes('nft') ? ['^delete .*inet via( |$)'] : []),
    ...(firewalls.includes('iptables-nft') ? ['^delete [a-z]+ ip6? (raw|mangle|nat|filter)( |$)'] : []),
  ];
  return { loud: loud.join('|'), quiet: '' };
}

/** The routers of groups. */
export const hopsOf = (groups: readonly Group[]): Required<Path>[] =>
  pathsOf(groups).flatMap(({ nextHop, device }) => (nextHop === undefined ? [] : [{ nextHop, device }]));

const pathsOf = (groups: readonly Group[]): Path[] =>
  groups.flatMap(({ wayOut }) => FAMILIES.flatMap((family) => pathOf(wayOut, family) ?? []));

const START = '^(Deleted )?';

/** How the line of a neighbour ends that has answered, or has not. */
const ANSWER = '(FAILED|REACHABLE|STALE)';

/** A router says again and again what is known. */
function known({ nextHop, device }: Required<Path>, { neighbours, failed }: Seen): string[] {
  const name = `${nextHop}%${device}`;
  const start = `^${quoted(nextHop)} dev ${quoted(device)} `;
  if (failed.has(name)) return [`${start}.*FAILED`];
  const address = neighbours.get(name);
  return address === undefined ? [] : [`${start}lladdr ${address} .*(REACHABLE|STALE)`];
}

/** Names and addresses have only one character that means something to grep. */
const quoted = (text: string): string => text.replaceAll('.', '\\.');
