import type { Family } from './family.js';
import type { Path } from './wayout.js';

/** A connected network: it is reached without a gateway. */
export interface Lan {
  readonly family: Family;
  readonly network: string;
  readonly device: string;
  /** The position among the routes of the same network on several devices: 1, 2 and so on. Main uses the first. */
  readonly order: number;
}

/** A default route of the main table; a multipath route gives one for each next hop. */
export interface DefaultRoute extends Path {
  readonly family: Family;
  /** The source of programs' addresses: the route's own source address, or the network that the next hop is in. */
  readonly source?: string;
  /** The route has the lowest metric, so main uses it. */
  readonly first?: true;
}

/** The facts about the system that the wanted things depend on, beside the groups. */
export interface Facts {
  /** The kernel has IPv6. */
  readonly v6: boolean;
  readonly lans: readonly Lan[];
  /** The lowest preference of another tool's policy rule that can match a packet with our mark, for each family. */
  readonly ahead?: { readonly [F in Family]: number };
  /** Devices that exist and are up. */
  readonly devices: ReadonlySet<string>;
  /** The paths of groups that cannot be used now, by `pathName`. */
  readonly broken?: ReadonlySet<string>;
  /** The paths whose router does not answer, by `pathName`. */
  readonly unanswered?: ReadonlySet<string>;
  /** The devices that have an address of wider than link scope, with the family: `4 c2`. */
  readonly numbered?: ReadonlySet<string>;
  /** The IPv4 addresses of each device. */
  readonly addresses?: ReadonlyMap<string, readonly string[]>;
  /** Each device's MTU in bytes, without the loopback. */
  readonly mtus: ReadonlyMap<string, number>;
  /** The default routes of the main table. */
  readonly defaults: readonly DefaultRoute[];
  /** The families without a default route in the main table. */
  readonly nowhere: ReadonlySet<Family>;
  /** The devices that are up and use neighbour discovery (ARP, ND). */
  readonly resolving: ReadonlySet<string>;
  /** The known link-layer addresses of next hops, by `<next hop>%<device>`. */
  readonly neighbours: ReadonlyMap<string, string>;
  /** The devices whose reverse path filter would drop replies, with their original src_valid_mark. */
  readonly filtered: ReadonlyMap<string, string>;
  /** The built-in tables and chains of iptables-nft that did not exist before us; undefined where that is unknown. */
  readonly absent?: readonly string[];
  /** The network namespace, as /proc/self/ns/net names it. */
  readonly namespace: string;
  /** The mount point, present or future, of the net_cls hierarchy; `own` if the mount is via's. */
  readonly hierarchy: {
    readonly path: string;
    readonly own: boolean;
    readonly controllers: string;
    readonly agent?: string;
  };
  /** The shell command that starts a keeper. */
  readonly keeper: string;
  /** The text of each group's record, by uuid. */
  readonly records: ReadonlyMap<string, string>;
  /** Another network namespace has groups that are alive and that use this /run. */
  readonly elsewhere: boolean;
}
