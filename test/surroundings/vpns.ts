import { gateways } from '../helpers/topology.js';

const { v4 } = gateways.g4;

/** The two halves of the Internet by a tunnel, as OpenVPN's `redirect-gateway def1` lays them over main's default. */
export const halves = {
  up: `
  for net in 0.0.0.0/1 128.0.0.0/1; do ip route add $net via ${v4} dev tun0; done
  for net in ::/1 8000::/1; do ip -6 route add $net dev tun0 metric 1024; done`,
  down: `
  for net in 0.0.0.0/1 128.0.0.0/1; do ip route del $net dev tun0; done
  for net in ::/1 8000::/1; do ip -6 route del $net dev tun0; done`,
};

const each = (script: (family: string) => string): string => ['-4', '-6'].map(script).join('');

/** The rules of wg-quick(8) with `AllowedIPs = 0.0.0.0/0, ::/0`: without preferences, in its words and its order. */
export const wgQuick = {
  up: each(
    (family) => `
  ip ${family} route add default dev tun0 table 51820
  ip ${family} rule add not fwmark 0xca6c table 51820
  ip ${family} rule add table main suppress_prefixlength 0`,
  ),
  down: each(
    (family) => `
  ip ${family} rule del table 51820
  ip ${family} rule del table main suppress_prefixlength 0
  ip ${family} route flush table 51820`,
  ),
};
