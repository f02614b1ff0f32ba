import { othersIptables } from './firewall.js';
import type { Lab } from './lab.js';
import { fixture } from './paths.js';

/** The machine behind the client, and the port at which the client's own addresses lead to its server. */
export const behind = { v4: '192.168.7.2', v6: 'fd07::2' };
export const forwarded = 7070;

/** How the client passes on what comes from behind it. */
export type Home = 'nft' | 'iptables' | 'routed';

/** Makes a machine behind the client, with a server, and the client its router: by address translation, or without. */
export async function makeBehind(lab: Lab, home: Home): Promise<void> {
  await lab.sh(
    'lan',
    `ip netns add behind
    nsenter --net=/run/netns/behind sh -c 'cd /proc/sys/net/ipv6/conf/default; echo 0 >accept_dad; echo 1 >addr_gen_mode'
    ip link add h1 netns client type veth peer name eth0 netns behind`,
  );
  await lab.sh(
    'client',
    `ip address add 192.168.7.1/24 dev h1; ip address add fd07::1/64 dev h1; ip link set h1 up
    ip address add fe80::7:1/64 dev h1
    echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding`,
  );
  await lab.sh(
    'behind',
    `ip link set lo up; ip link set eth0 up
    ip address add ${behind.v4}/24 dev eth0; ip address add ${behind.v6}/64 dev eth0
    ip route add default via 192.168.7.1; ip -6 route add default via fd07::1`,
  );
  await keepApart(lab);
  if (home === 'routed')
    for (const [name, subnet] of [
      ['g1', 1],
      ['g2', 2],
      ['g3', 1],
    ] as const)
      await lab.sh(
        name,
        `ip route add 192.168.7.0/24 via 10.0.${subnet}.2; ip -6 route add fd07::/64 via fd0${subnet}::2`,
      );
  else await lab.sh('client', home === 'nft' ? byNft : byIptables());
  await lab.serve('behind', [process.execPath, fixture('server.mjs'), 'behind', behind.v4, behind.v6]);
}

/** The far address is another machine behind each gateway; connection tracking takes them for one, whose ports meet. */
export async function keepApart(lab: Lab): Promise<void> {
  for (const [i, name] of (['g1', 'g2', 'g3'] as const).entries())
    await lab.sh(name, `echo ${20000 + 10000 * i} ${29999 + 10000 * i} >/proc/sys/net/ipv4/ip_local_port_range`);
}

const byNft = `nft -f - <<'EOF'
  table inet home {
    chain post { type nat hook postrouting priority 100; iifname "h1" masquerade; }
    chain pre {
      type nat hook prerouting priority -100
      iifname "h1" accept
      fib daddr type local meta nfproto ipv4 meta l4proto { tcp, udp } th dport ${forwarded} dnat ip to ${behind.v4}:7000
      fib daddr type local meta nfproto ipv6 meta l4proto { tcp, udp } th dport ${forwarded} dnat ip6 to [${behind.v6}]:7000
    }
  }
EOF`;

const byIptables = (): string =>
  ([4, 6] as const)
    .flatMap((family) => {
      const tool = othersIptables()[family];
      const [from, to] = family === 4 ? ['192.168.7.0/24', `${behind.v4}:7000`] : ['fd07::/64', `[${behind.v6}]:7000`];
      const local = '! -i h1 -m addrtype --dst-type LOCAL';
      return [
        ...['c1', 'c2'].map((device) => `${tool} -t nat -A POSTROUTING -s ${from} -o ${device} -j MASQUERADE`),
        ...['tcp', 'udp'].map(
          (protocol) =>
            `${tool} -t nat -A PREROUTING ${local} -p ${protocol} --dport ${forwarded} -j DNAT --to-destination ${to}`,
        ),
      ];
    })
    .join('\n');
