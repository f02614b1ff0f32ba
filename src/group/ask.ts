import { resolve } from '../gateway/resolve.js';
import { parseGateway } from '../gateway/text.js';
import type { Ask } from './choose.js';
import { askedText } from '../state/asked.js';
import { readAddresses } from '../kernel/addresses.js';
import { chooseFirewall, firewallsOf } from '../kernel/firewall.js';
import type { LaunchOptions } from '../request.js';

/** What is asked for by a gateway as it was typed and by these options. Throws where it can be no gateway. */
export function askFor(gateway: string, options: Pick<LaunchOptions, 'ipv4' | 'ipv6' | 'lan' | 'firewall'>): Ask {
  const text = parseGateway(gateway);
  const { ipv4, ipv6, lan } = options;
  return {
    text: askedText({ gateway, ipv4, ipv6, lan }),
    firewall: chooseFirewall(options.firewall),
    accepts: firewallsOf(options.firewall),
    resolve: ({ routing, facts }) => resolve(text, options, { routing, v6: facts.v6, addresses: readAddresses }),
  };
}
