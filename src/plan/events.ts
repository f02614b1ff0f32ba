import type { Facts } from './facts.js';
import { PROTOCOL } from './numbers.js';
import type { Firewall } from './things.js';
import { FAMILIES } from './family.js';
import { pathOf, type Group, type Path } from './wayout.js';

/** Two extended regular expressions: a line of a tool matters if it matches `loud` and does not match `quiet`. */
export interface Filter {
  readonly loud: string;
  readonly quiet: string;
}

/** The state that was seen when everything was in order. */
export type Seen = Pick<Facts, 'neighbours'> & {
  /** Each device's flags and MTU, as `ip` prints them. */
  readonly links: ReadonlyMap<string, string>;
  /** Each device's index, which stays when the device is renamed. */
  readonly indexes: ReadonlyMap<string, number>;
  /** `<next hop>%<device>` of the routers that do not answer. */
  readonly failed: ReadonlySet<string>;
};

/**
 * The lines of `ip -N -o monitor link route rule neigh` after which a group may need repair: a rule or route of ours was
 * removed, another tool added or removed a rule, a connected network of main or any default route changed, or a device
 * or router of a group changed. Other lines of a busy host are ignored.
 */
export function networkEvents(groups: readonly Group[], seen: Seen): Filter {
  const paths = pathsOf(groups);
  const devices = [...new Set(paths.map(({ device }) => quoted(device)))];
  const numbers = paths.flatMap(({ device }) => seen.indexes.get(device) ?? []);
  const own = devices.length === 0 ? 'nothing' : devices.join('|');
  const loud = [
    // Events were lost.
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

/** The lines of `nft monitor` after which our rules, or the tables of iptables that contain them, were removed. */
export function firewallEvents(firewalls: readonly Firewall[]): Filter {
  const loud = [
    ...(firewalls.includes('nft') ? ['^delete .*inet via( |$)'] : []),
    ...(firewalls.includes('iptables-nft') ? ['^delete [a-z]+ ip6? (raw|mangle|nat|filter)( |$)'] : []),
  ];
  return { loud: loud.join('|'), quiet: '' };
}

/** The next hops of groups, with their devices. */
export const hopsOf = (groups: readonly Group[]): Required<Path>[] =>
  pathsOf(groups).flatMap(({ nextHop, device }) => (nextHop === undefined ? [] : [{ nextHop, device }]));

const pathsOf = (groups: readonly Group[]): Path[] =>
  groups.flatMap(({ wayOut }) => FAMILIES.flatMap((family) => pathOf(wayOut, family) ?? []));

const START = '^(Deleted )?';

/** The states of a neighbour that has answered, or that has failed to. */
const ANSWER = '(FAILED|REACHABLE|STALE)';

/** The lines that only repeat a router's known state. */
function known({ nextHop, device }: Required<Path>, { neighbours, failed }: Seen): string[] {
  const name = `${nextHop}%${device}`;
  const start = `^${quoted(nextHop)} dev ${quoted(device)} `;
  if (failed.has(name)) return [`${start}.*FAILED`];
  const address = neighbours.get(name);
  return address === undefined ? [] : [`${start}lladdr ${address} .*(REACHABLE|STALE)`];
}

/** The dot is the only special character in names and addresses. */
const quoted = (text: string): string => text.replaceAll('.', '\\.');
