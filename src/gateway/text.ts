import { ViaError } from '../failure.js';

/** An address of a gateway's text, with its device if one was typed. */
export interface AddressText {
  /** IPv4 in dotted form, IPv6 as RFC 5952 writes it. */
  readonly address: string;
  readonly device?: string;
}

/** A gateway's text that was parsed but not yet looked up in the kernel. */
export type GatewayText =
  | { readonly kind: 'addresses'; readonly v4?: AddressText; readonly v6?: AddressText }
  | { readonly kind: 'device'; readonly device: string };

/**
 * Parses `10.0.0.1`, `fe80::1%eth1`, one address of each family joined by a comma, `tun0`, or `%eth1` (always a device).
 * Throws ViaError for a text that can never be a gateway. The look-up checks later that the address is on-link and is
 * neither our own nor a broadcast address. IPv6 is parsed by URL, because node:net takes 3 ms to load.
 */
export function parseGateway(text: string): GatewayText {
  const fail: Fail = (why, hint) => new ViaError('gateway', `"${text}"`, why, hint === undefined ? {} : { hint });
  if (text === '') throw fail('empty', 'an address such as 10.0.0.1, or a device such as tun0');
  const parts = text.split(',');
  if (parts.length > 2) throw fail('more than two parts', 'at most one IPv4 and one IPv6 address');
  if (parts.includes('')) throw fail('nothing on one side of the comma');

  const read = parts.map((part) => readPart(part, fail));
  const [one, other] = read;
  if (other === undefined && typeof one === 'string') return { kind: 'device', device: one };

  let both: { v4?: AddressText; v6?: AddressText } = {};
  for (const part of read) {
    if (typeof part === 'string') throw fail('a device cannot be half of a pair', `use it alone, or <address>%${part}`);
    const family = isV6(part.address) ? 'v6' : 'v4';
    if (both[family] !== undefined) throw fail(`two IP${family} addresses`, 'at most one of each family');
    both = { ...both, [family]: part };
  }
  return { kind: 'addresses', ...both };
}

/** The canonical text of a gateway, IPv4 first. A device is `%name`, which is never taken for a word or an uplink. */
export function formatGateway(gateway: GatewayText): string {
  if (gateway.kind === 'device') return `%${gateway.device}`;
  const texts = [gateway.v4, gateway.v6].filter((part) => part !== undefined);
  return texts.map(({ address, device }) => (device === undefined ? address : `${address}%${device}`)).join(',');
}

/**
 * True if a device's name is safe in rule texts, commands and paths. The kernel accepts up to 15 bytes of anything but
 * `/`, `:` and white space (dev_valid_name), so also `a";drop;{`, `$(id)` and `-x`. `all` and `default` are refused,
 * because they stand for every device in /proc/sys/net/ipv4/conf; the kernel refuses them too (EINVAL, seen on 6.18).
 */
export function isSafeDeviceName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name) && name !== 'all' && name !== 'default';
}

type Fail = (why: string, hint?: string) => ViaError;

/** Gives an address, or the name of a device as a string. */
function readPart(part: string, fail: Fail): AddressText | string {
  const percent = part.indexOf('%');
  if (percent === 0) return checkDevice(part.slice(1), fail);
  const text = percent < 0 ? part : part.slice(0, percent);

  const address = canonical(text);
  if (address === undefined) {
    if (percent > 0) throw fail('the text before % is not an address');
    checkMalformed(part, fail);
    return checkDevice(part, fail);
  }
  const device = percent < 0 ? undefined : checkDevice(part.slice(percent + 1), fail);
  checkKind(address, device, fail);
  return device === undefined ? { address } : { address, device };
}

function checkDevice(name: string, fail: Fail): string {
  if (name === '') throw fail('no device after %');
  if (isSafeDeviceName(name)) return name;
  throw fail('neither an address nor a device name via takes', 'at most 15 of A-Z a-z 0-9 _ . -, not . or - first');
}

/** Throws for a mistyped address. The kernel accepts `10.0.1` as a device's name, but a user rarely means that. */
function checkMalformed(text: string, fail: Fail): void {
  const [plain, prefix] = text.split('/', 2);
  if (prefix !== undefined && canonical(plain!) !== undefined)
    throw fail('a network, not an address', 'leave out the /');
  if (text.includes('://')) throw fail('a URL, not an address', 'the address of a router, such as 10.0.0.1');
  if (text.includes(':')) {
    const url = /^[\d.]+:\d+$/.test(text) || text.startsWith('[');
    throw fail(url ? 'a gateway has no port and no brackets' : 'not an IPv6 address');
  }
  if (/^[\d.]+$/.test(text)) {
    const named = isSafeDeviceName(text) ? `; a device of that name is %${text}` : '';
    throw fail('not an IPv4 address', `four numbers from 0 to 255, without leading zeros${named}`);
  }
}

const isV6 = (address: string) => address.includes(':');

/** The address as the kernel prints it (RFC 5952), or undefined. The WHATWG IPv6 parser accepts all forms of RFC 4291. */
function canonical(text: string): string | undefined {
  if (/^(?:(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$)|$)){4}$/.test(text)) return text;
  if (!/^[\da-f:.]*:[\da-f:.]*$/i.test(text) || !URL.canParse(`http://[${text}]`)) return undefined;
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** Throws for an address that no router on the link can have. */
function checkKind(address: string, device: string | undefined, fail: Fail): void {
  if (/^(0\.0\.0\.0|::)$/.test(address)) throw fail('the unspecified address is not a router');
  if (/^127\.|^::1$/.test(address)) throw fail('a loopback address is this machine');
  if (/^2(2[4-9]|3\d)\.|^ff[\da-f]{2}:/.test(address)) throw fail('a multicast address is not a router');
  if (address === '255.255.255.255') throw fail('the broadcast address is not a router');
  // ::ffff:10.0.0.1 and ::10.0.0.1; two groups behind the zeros, as URL writes them.
  const embedded = /^::(?:ffff:)?([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address);
  if (embedded) {
    const bytes = embedded.slice(1).flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
    throw fail('an IPv4 address written as IPv6', `write ${bytes.join('.')}`);
  }
  if (/^fe[89ab][\da-f]:/.test(address) && device === undefined) {
    throw fail('a link-local address needs its device', `${address}%<device>`);
  }
}
