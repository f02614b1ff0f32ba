import { connectedNetworks, defaultRoutes, neighbourAddresses, nowhere } from '../gateway/routes.js';
import { ownAddresses, numberedDevices } from '../gateway/health.js';
import { lowestMet } from '../gateway/policy.js';
import { isSafeDeviceName } from '../gateway/text.js';
import { filteredDevices, srcValidMark } from '../kernel/sysctl.js';
import type { LinkLine, Routing } from '../kernel/routing.js';
import type { Facts } from '../plan/facts.js';
import type { Family } from '../plan/family.js';
import type { Firewalls } from './firewalls.js';
import type { SysctlRecord } from '../state/records.js';

type FromRoutes = Pick<
  Facts,
  | 'addresses'
  | 'ahead'
  | 'numbered'
  | 'lans'
  | 'devices'
  | 'mtus'
  | 'defaults'
  | 'nowhere'
  | 'resolving'
  | 'neighbours'
  | 'filtered'
>;

/**
 * The facts that follow from devices and routes. `oldMarks` are the src_valid_mark settings that via has changed in this
 * network namespace; their old values count.
 */
export function factsOf(
  routing: { readonly [F in Family]: Routing },
  { routers }: Pick<Firewalls, 'routers'>,
  oldMarks: readonly SysctlRecord[],
): FromRoutes {
  const { links } = routing[4];
  const devices = new Set(links.filter(({ flags }) => flags.includes('UP')).map(({ ifname }) => ifname));
  const outer = links.filter(({ flags }) => !flags.includes('LOOPBACK'));
  const oldMark = (name: string): string => oldMarks.find(({ device }) => device === name)?.old ?? srcValidMark(name);
  const filtered = filteredDevices([...devices]).map((name) => [name, oldMark(name)] as const);
  return {
    ahead: { 4: lowestMet(routing[4].rules), 6: lowestMet(routing[6].rules) },
    lans: [...connectedNetworks(4, routing), ...connectedNetworks(6, routing)],
    devices,
    numbered: numberedDevices(routing),
    addresses: ownAddresses(routing),
    mtus: new Map(outer.map(({ ifname, mtu }) => [ifname, mtu])),
    defaults: defaultRoutes(routing),
    nowhere: nowhere(routing),
    resolving: new Set(outer.filter(resolves).map(({ ifname }) => ifname)),
    // Our rules keep a link-layer address that the kernel may have forgotten.
    neighbours: new Map([...routers, ...neighbourAddresses(routing)]),
    filtered: new Map(filtered.filter(([, old]) => old === '0')),
  };
}

/** True for a device that is up, uses neighbour discovery (netdevice(7), IFF_NOARP) and has a safe name. */
const resolves = ({ ifname, flags }: LinkLine): boolean =>
  flags.includes('LOWER_UP') && !flags.includes('NOARP') && !flags.includes('POINTOPOINT') && isSafeDeviceName(ifname);
