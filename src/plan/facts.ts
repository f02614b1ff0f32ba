import type { Family, Path } from './wayout.js';

/** A network that a device is connected to: reachable without a gateway. */
export interface Lan {
  readonly family: Family;
  readonly network: string;
  readonly device: string;
  /** Main takes the first where a network is on several devices: 1, 2 and so on. */
  readonly order: number;
}

/** A default route of main's, one for each next hop. */
export interface DefaultRoute extends Path {
  readonly family: Family;
  /** Where the kernel takes a program's source address from: an address, or the network that the next hop is in. */
  readonly source?: string;
  /** Main takes this one, or one of these, unless it has something more specific. */
  readonly first?: true;
}

/** What of the system the wanted things depend on, beside the groups. */
export interface Facts {
  /** The kernel has IPv6. */
  readonly v6: boolean;
  readonly lans: readonly Lan[];
  /** The lowest preference of somebody else's policy rule that what we have marked would meet, where there is one. */
  readonly ahead?: { readonly [F in Family]: number };
  /** Devices that exist and are up. */
  readonly devices: ReadonlySet<string>;
  /** Paths of groups that are not there now, by `pathName`. */
  readonly broken?: ReadonlySet<string>;
  /** Those whose router the kernel has asked for in vain. */
  readonly unanswered?: ReadonlySet<string>;
  /** Devices with an address of their own that is good for more than their link: `4 c2`. */
  readonly numbered?: ReadonlySet<string>;
  /** The IPv4 addresses of each device. */
  readonly addresses?: ReadonlyMap<string, readonly string[]>;
  /** Each device's MTU, the loopback's aside. */
  readonly mtus: ReadonlyMap<string, number>;
  /** Main's default routes. */
  readonly defaults: readonly DefaultRoute[];
  /** Families in which main leads nowhere: it has no default route, nor two halves of one. */
  readonly nowhere: ReadonlySet<Family>;
  /** Devices that are up and look for their neighbours (ARP, neighbour discovery). */
  readonly resolving: ReadonlySet<string>;
  /** `<next hop>%<device>` -> link-layer address, where the kernel knows it. */
  readonly neighbours: ReadonlyMap<string, string>;
  /** Devices whose replies a reverse path filter would drop: device -> src_valid_mark before us. */
  readonly filtered: ReadonlyMap<string, string>;
  /** What of iptables' tables in nf_tables was not there before us; undefined where that is not known. */
  readonly absent?: readonly string[];
  /** Identifies the network namespace on this machine while it exists. */
  readonly namespace: string;
  /** Where the net_cls hierarchy is, or will be, mounted; `own` where the mount is via's. */
  readonly hierarchy: {
    readonly path: string;
    readonly own: boolean;
    readonly controllers: string;
    readonly agent?: string;
  };
  /** What starts a keeper, as a command of the shell. */
  readonly keeper: string;
  /** uuid -> the text of its record. */
  readonly records: ReadonlyMap<string, string>;
  /** Groups are alive in another network namespace, of a via that sees this /run. */
  readonly elsewhere: boolean;
}
