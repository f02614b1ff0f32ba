import { ViaError } from '../failure.js';
import { containing } from '../plan/networks.js';
import { FAMILIES, type Family } from '../plan/family.js';
import type { Known } from './known.js';
import { foreign, hopsOf, onLinkOn } from './routes.js';
import { isSafeDeviceName, type AddressText } from './text.js';

/** The error for an address that is not on-link, or not on-link on the named device. Its hint says where it is. */
export function offLink({ address, device }: AddressText, family: Family, known: Known): ViaError {
  const where = device === undefined ? [] : onLinkOn(address, family, foreign(known.routing[family].routes));
  const down = where.length > 0 ? undefined : downWith(address, family, known);
  if (device === undefined && down !== undefined) {
    const { name, network } = down;
    return new ViaError('gateway', address, `${name}, which has ${network}, is down`, {
      hint: `ip link set ${name} up`,
    });
  }
  const others = down === undefined ? where.filter(isSafeDeviceName) : [down.name];
  const state = down === undefined ? '' : ', which is down';
  const hint = others.length === 0 ? suggestion(known) : `it is on ${others.join(' and ')}${state}`;
  return new ViaError('gateway', address, `not on-link${device === undefined ? '' : ` on ${device}`}`, { hint });
}

/** A device that is down and has a network that contains the address, with that network. */
function downWith(
  address: string,
  family: Family,
  { routing, addresses }: Known,
): { name: string; network: string } | undefined {
  const names = routing[4].links.filter(({ flags }) => !flags.includes('UP')).map(({ ifname }) => ifname);
  const isDown = (name: string): boolean => names.includes(name) && isSafeDeviceName(name);
  if (!names.some(isDown)) return undefined;
  const networks = (addresses?.() ?? []).flatMap(({ ifname, addr_info: own }) =>
    own.flatMap(({ family: kind, local, address: peer, prefixlen }) =>
      isDown(ifname) && kind === (family === 4 ? 'inet' : 'inet6') && local !== undefined
        ? [{ name: ifname, network: `${peer ?? local}/${prefixlen}` }]
        : [],
    ),
  );
  return networks.find(({ network }) => containing(network, address, family));
}

/** Names next hops that the routes know. */
function suggestion(known: Known): string {
  const hops = FAMILIES.flatMap((family) => foreign(known.routing[family].routes).flatMap((route) => hopsOf(route)));
  const found = [
    ...new Set(hops.flatMap(({ nextHop, device }) => (nextHop === undefined ? [] : `${nextHop}%${device}`))),
  ];
  const known4 = found.slice(0, 3).join(', ');
  return found.length === 0 ? 'it must be a neighbour, on a network of this machine' : `routes know ${known4}`;
}
