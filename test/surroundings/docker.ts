import type { Others } from './others.js';

const dockerChains = (net: string, host: string, port: string, loopback: string): string => `*raw
-A PREROUTING -d ${host} ! -i docker0 -j DROP
COMMIT
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d ${loopback} -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s ${net} ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination ${port}
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d ${host} ! -i docker0 -o docker0 -p tcp -m tcp --dport 7000 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT`;

const dockerTables = (family: 'ip' | 'ip6', net: string, host: string, port: string, loopback: string): string => `
  table ${family} docker-bridges {
    chain raw-prerouting { type filter hook prerouting priority -300; iifname != "docker0" ${family} daddr ${host} counter drop; }
    chain nat-prerouting { type nat hook prerouting priority -100; fib daddr type local counter jump nat; }
    chain nat-output { type nat hook output priority -100; ${family} daddr != ${loopback} fib daddr type local counter jump nat; }
    chain nat { iifname != "docker0" tcp dport 8080 counter dnat to ${port}; }
    chain nat-postrouting { type nat hook postrouting priority 100; oifname != "docker0" ${family} saddr ${net} counter masquerade; }
    chain filter-forward { type filter hook forward priority 0; policy drop;
      oifname "docker0" ct state established,related counter accept
      oifname "docker0" iifname != "docker0" ${family} daddr ${host} tcp dport 7000 counter accept
      iifname "docker0" counter accept
    }
  }`;

/** Docker's default bridge, with one container that publishes a port (docker 28). The container is `box`. */
export const docker: Others = {
  iptables: dockerChains('172.17.0.0/16', '172.17.0.2/32', '172.17.0.2:7000', '127.0.0.0/8'),
  ip6tables: dockerChains('fd17::/64', 'fd17::2/128', '[fd17::2]:7000', '::1/128'),
  nft:
    dockerTables('ip', '172.17.0.0/16', '172.17.0.2', '172.17.0.2:7000', '127.0.0.0/8') +
    dockerTables('ip6', 'fd17::/64', 'fd17::2', '[fd17::2]:7000', '::1'),
  rest: 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding',
};

/** The bridge and the container; for a shell where all namespaces are known. */
export const container = `
  ip netns add box
  ip link add box0 netns client type veth peer name eth0 netns box
  ip netns exec client sh -ec 'ip link add docker0 type bridge mcast_snooping 0
    ip link set box0 master docker0 up; ip link set docker0 up
    ip address add 172.17.0.1/16 dev docker0; ip address add fd17::1/64 dev docker0 nodad'
  ip netns exec box sh -ec 'ip link set lo up; ip link set eth0 up
    ip address add 172.17.0.2/16 dev eth0; ip address add fd17::2/64 dev eth0 nodad
    ip route add default via 172.17.0.1; ip -6 route add default via fd17::1'`;
