import { parseLists, type AddressLine } from './routing.js';
import { runTools } from './tools.js';

/** The addresses of all devices, also of those that are down; empty if they cannot be read. */
export function readAddresses(): AddressLine[] {
  const [done] = runTools([{ argv: ['ip', '-N', '-j', 'address', 'show'] }]) ?? [];
  const lines = done?.status === 0 ? parseLists<Partial<AddressLine>>(done.output) : [];
  return lines.flatMap(({ ifname, addr_info: own }) =>
    ifname === undefined || own === undefined ? [] : [{ ifname, addr_info: own }],
  );
}
