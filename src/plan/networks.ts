import type { Family } from '../plan/family.js';

/** True if a network (`10.0.1.0/24`, `default`, an address) contains an address of the same family. */
export function containing(network: string, address: string, family: Family): boolean {
  const [base = '', length] = (network === 'default' ? (family === 4 ? '0.0.0.0/0' : '::/0') : network).split('/');
  if (length === undefined) return base === address;
  const shift = BigInt((family === 4 ? 32 : 128) - Number(length));
  return toNumber(base, family) >> shift === toNumber(address, family) >> shift;
}

/** True if a route's destination is exactly this address. */
export const sameAddress = (destination: string, address: string): boolean =>
  destination === address || destination === `${address}/32` || destination === `${address}/128`;

/** An address as a number. IPv6 is in the form of RFC 5952, as the kernel prints it. */
function toNumber(address: string, family: Family): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const front = groups(head);
  const back = groups(tail ?? '');
  const middle = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => 0n);
  return [...front, ...middle, ...back].reduce((sum, group) => sum * 65536n + group, 0n);
}

/** The 16-bit groups of a part of an IPv6 address. An IPv4 tail (`::ffff:10.0.0.1`) is two groups. */
function groups(text: string): bigint[] {
  return text.split(':').flatMap((part) => {
    if (part === '') return [];
    if (!part.includes('.')) return [BigInt(`0x${part}`)];
    const value = toNumber(part, 4);
    return [value >> 16n, value & 0xffffn];
  });
}
