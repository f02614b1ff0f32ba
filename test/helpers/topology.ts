/**
 * The names of the lab's network namespaces; `lan` holds the bridge between c1, g1 and g3, and `behind` is there where
 * a test has made it (test/helpers/behind.ts).
 */
export type Place = 'client' | 'g1' | 'g2' | 'g3' | 'g4' | 'lan' | 'behind';

export interface TopologyOptions {
  /** false: a kernel that knows v6, but no address and no route of it anywhere. */
  v6?: boolean;
  /** A third uplink: the point-to-point device tun0, with g4 at its other end. */
  tun?: boolean;
  /** The MTU of the link between c2 and g2. */
  mtuB?: number;
  /** rp_filter of the client's devices, by device or `all`. */
  rpFilter?: Partial<Record<'all' | 'c1' | 'c2' | 'tun0', 0 | 1 | 2>>;
}

/** What every gateway owns and answers on: one address for each family. */
export const far = { v4: '203.0.113.10', v6: '2001:db8:113::10' };

/** The client's addresses by device. */
export const client = {
  c1: { v4: '10.0.1.2', v6: 'fd01::2', link: 'fe80::1:2' },
  c2: { v4: '10.0.2.2', v6: 'fd02::2', link: 'fe80::2:2' },
  tun0: { v4: '10.0.4.2', v6: 'fd04::2', link: undefined },
};

/** The gateways, with the client's device that leads to each. */
export const gateways = {
  g1: { device: 'c1', v4: '10.0.1.1', v6: 'fd01::1', link: 'fe80::1:1' },
  g2: { device: 'c2', v4: '10.0.2.1', v6: 'fd02::1', link: 'fe80::2:1' },
  g3: { device: 'c1', v4: '10.0.1.3', v6: 'fd01::3', link: 'fe80::1:3' },
  g4: { device: 'tun0', v4: '10.0.4.1', v6: 'fd04::1', link: undefined },
} as const;

export type Gateway = keyof typeof gateways;

export function gatewaysOf(options: TopologyOptions): Gateway[] {
  return options.tun ? ['g1', 'g2', 'g3', 'g4'] : ['g1', 'g2', 'g3'];
}

/** The script that builds the network, to be run where the holder is. */
export function topologyScript(options: TopologyOptions): string {
  const places = ['client', ...gatewaysOf(options)] as const;
  return [
    'set -e',
    batch(places.map((place) => `netns add ${place}`)),
    inside('lan', ['net/ipv6/conf/default/disable_ipv6=1'], []),
    // Before any device exists, so that each is born with these.
    ...places.map((place) => inside(place, settings(place), [])),
    batch([
      'link add lan type bridge mcast_snooping 0',
      'link set lan up',
      ...cable('client', 'c1', '02:00:00:00:01:02'),
      ...cable('g1', 'eth0', '02:00:00:00:01:01'),
      ...cable('g3', 'eth0', '02:00:00:00:01:03'),
      'link add c2 netns client address 02:00:00:00:02:02 type veth ' +
        'peer name eth0 netns g2 address 02:00:00:00:02:01',
    ]),
    ...gatewaysOf(options).map((name) => inside(name, [], gatewayLines(name, options))),
    inside('client', deviceSettings(options), clientLines(options)),
  ].join('\n');
}

/** A cable from a namespace's device to the bridge. */
function cable(place: Place, device: string, address: string): string[] {
  const port = `to-${place}`;
  return [
    `link add ${port} type veth peer name ${device} netns ${place} address ${address}`,
    `link set ${port} master lan up`,
  ];
}

function settings(place: Gateway | 'client' | 'lan'): string[] {
  const common = [
    // An address is of use at once, and the wire carries nothing a test did not send.
    'net/ipv6/conf/default/accept_dad=0',
    'net/ipv6/conf/default/accept_ra=0',
    'net/ipv6/conf/default/addr_gen_mode=1',
    'net/ipv6/conf/default/autoconf=0',
    // v4 settings are copied from the machine, whatever they are there.
    'net/ipv4/conf/all/rp_filter=0',
    'net/ipv4/conf/default/rp_filter=0',
    'net/ipv4/conf/all/src_valid_mark=0',
    'net/ipv4/ip_forward=0',
  ];
  if (place === 'client' || place === 'lan') return common;
  // An echo reply names nobody; the hop limit it arrives with tells who sent it.
  const hops = hopLimit(place);
  return [
    ...common,
    `net/ipv4/ip_default_ttl=${hops}`,
    `net/ipv6/conf/default/hop_limit=${hops}`,
    `net/ipv6/conf/all/hop_limit=${hops}`,
  ];
}

/** The hop limit of what a gateway sends: 101 for g1, 102 for g2. */
export function hopLimit(gateway: Gateway): number {
  return 100 + Number(gateway.slice(1));
}

function deviceSettings({ rpFilter = {} }: TopologyOptions): string[] {
  return Object.entries(rpFilter).map(([name, value]) => `net/ipv4/conf/${name}/rp_filter=${value}`);
}

function gatewayLines(name: Gateway, options: TopologyOptions): string[] {
  const own = gateways[name];
  const device = name === 'g4' ? 'tun0' : 'eth0';
  return [
    ...(name === 'g4' ? ['tuntap add dev tun0 mode tun'] : []),
    'link set lo up',
    `link set ${device} up ${mtu(name === 'g2', options)}`,
    `address add ${far.v4}/32 dev lo`,
    ...ends(device, own, name === 'g4' ? client.tun0 : undefined, options),
    ...(options.v6 === false ? [] : [`address add ${far.v6}/128 dev lo`]),
  ];
}

function clientLines(options: TopologyOptions): string[] {
  const { v6 = true } = options;
  return [
    ...(options.tun ? ['tuntap add dev tun0 mode tun', 'link set tun0 up'] : []),
    'link set lo up',
    'link set c1 up',
    `link set c2 up ${mtu(true, options)}`,
    ...ends('c1', client.c1, undefined, options),
    ...ends('c2', client.c2, undefined, options),
    ...(options.tun ? ends('tun0', client.tun0, gateways.g4, options) : []),
    `route add default via ${gateways.g1.v4} dev c1`,
    ...(v6 ? [`route add ::/0 via ${gateways.g1.v6} dev c1`] : []),
  ];
}

interface End {
  v4: string;
  v6: string;
  link: string | undefined;
}

/** The addresses of a device; with `peer` it is a point-to-point link. */
function ends(device: string, own: End, peer: End | undefined, { v6 = true }: TopologyOptions) {
  const add = (address: string) => `address add ${address} dev ${device}`;
  return [
    add(peer ? `${own.v4} peer ${peer.v4}/32` : `${own.v4}/24`),
    ...(v6 ? [add(peer ? `${own.v6} peer ${peer.v6}/128` : `${own.v6}/64`)] : []),
    ...(v6 && own.link ? [add(`${own.link}/64`)] : []),
  ];
}

function mtu(isB: boolean, { mtuB }: TopologyOptions): string {
  return isB && mtuB ? `mtu ${mtuB}` : '';
}

function inside(place: Place, values: string[], lines: string[]): string {
  const enter = place === 'lan' ? '' : `nsenter --net=/run/netns/${place} `;
  const writes = values.map((value) => {
    const [path, text] = value.split('=');
    return `echo ${text} >/proc/sys/${path}`;
  });
  const body = [...writes, ...(lines.length ? ["ip -batch - <<'END'", ...lines, 'END'] : [])];
  return [`${enter}sh -e <<'SCRIPT'`, ...body, 'SCRIPT'].join('\n');
}

function batch(lines: string[]): string {
  return ["ip -batch - <<'END'", ...lines, 'END'].join('\n');
}
