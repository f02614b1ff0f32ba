import { listStopped } from '../helpers/firewall.js';
import type { Lab } from '../helpers/lab.js';
import { sniff, type Sniffer } from '../helpers/sniff.js';
import { far, type Gateway } from '../helpers/topology.js';

/** The link-layer address of an end of the lab's cables (test/helpers/topology.ts). */
const link = (subnet: number, host: number): string => `02:00:00:00:0${subnet}:0${host}`;

/** The local port of those who are in no group. */
export const bystander = 4242;

/** Solicited for the far address, if somebody takes it for a neighbour (RFC 4291, 2.7.1). */
const solicited = 'ff02::1:ff00:10';

/**
 * Captures what the client sends to the far addresses by any other path than that of a gateway: from c1 to g1, where
 * the gateway is g3 on the same link, and from the other devices. ARP and neighbour discovery for them count as well.
 */
export async function watchOthers(lab: Lab, gateway: Gateway, family?: 4 | 6): Promise<Sniffer> {
  const hosts = [
    'ip6[6] = 43',
    '(ip[0] & 15 > 5 and not ip proto 2)',
    ...(family === 6 ? [] : [`host ${far.v4}`]),
    ...(family === 4 ? [] : [`host ${far.v6}`, `dst host ${solicited}`]),
  ].join(' or ');
  const from = (subnet: number) => `ether src ${link(subnet, 2)} and (${hosts}) and not port ${bystander}`;
  const c1 = () => sniff(lab, 'client', 'c1', from(1));
  const c2 = () => sniff(lab, 'client', 'c2', from(2));
  // At g1's end of the link: a device that goes down takes a capture with it.
  const g1 = () => sniff(lab, 'g1', 'eth0', `${from(1)} and not ether dst ${link(1, 3)}`);
  const captures = { g1: [c2], g2: [c1], g3: [g1, c2], g4: [c1, c2] }[gateway];
  const sniffers = await Promise.all(captures.map((capture) => capture()));
  return { stop: async () => (await Promise.all(sniffers.map((sniffer) => sniffer.stop()))).flat() };
}

/** How many packets the guards of all groups have stopped. */
export async function stopped(lab: Lab): Promise<number> {
  const counters = (await lab.sh('client', listStopped())).split('\n').filter(Boolean).map(Number);
  if (counters.length === 0) throw new Error('no counter of what was stopped');
  return counters.reduce((sum, packets) => sum + packets, 0);
}

/** Connection tracking on a host where nothing of ours is in use. */
export const track =
  "nft 'table inet foreign { chain input { type filter hook input priority 0; ct state established accept; }; }'";
