import type { Result, RunOptions } from './exec.js';
import type { Lab } from './lab.js';
import { gateways, type Gateway } from './topology.js';

/** Runs a command on the client by one of its gateways. */
export type Router = (lab: Lab, gateway: Gateway, argv: string[], options?: RunOptions) => Promise<Result>;

/** The product. */
export const via: Router = (lab, gateway, argv, options) => lab.via([gateways[gateway].v4, '--', ...argv], options);

/**
 * The recipe one finds everywhere, as it stands there: it makes no difference between families,
 * gives no source address, guards nothing and cleans up nothing. Tests of what via adds to it
 * have to fail with this one.
 */
export const classic: Router = (lab, gateway, argv, options) =>
  lab.run('client', classicCommand(gateway, argv), options);

/** Its command line on the client. */
export function classicCommand(gateway: Gateway, argv: string[]): string[] {
  const number = Number(gateway.slice(1));
  const { v4, device } = gateways[gateway];
  const script = `
    group=/run/classic/net_cls/${gateway}
    if ! [ -d $group ]; then
      if ! mountpoint -q /run/classic/net_cls; then
        mkdir -p /run/classic/net_cls
        mount -t cgroup -o net_cls none /run/classic/net_cls ||
          mount -t cgroup -o net_cls,net_prio none /run/classic/net_cls
      fi
      mkdir $group
      echo ${0x100000 + number} >$group/net_cls.classid
      iptables -t mangle -A OUTPUT -m cgroup --cgroup ${0x100000 + number} -j MARK --set-mark ${number}
      ip rule add fwmark ${number} table ${number}
      ip route add default via ${v4} dev ${device} table ${number}
    fi
    echo $$ >$group/tasks
    exec "$@"
  `;
  return ['sh', '-ec', script, 'classic', ...argv];
}
