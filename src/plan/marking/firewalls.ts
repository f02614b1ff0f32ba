import type { Firewall } from '../things.js';
import { iptables } from './iptables/iptables.js';
import type { Marking } from './marking.js';
import { nftables } from './nftables/nftables.js';

const MARKINGS: Readonly<Record<Firewall, Marking>> = {
  nft: nftables,
  'iptables-nft': iptables('iptables-nft'),
  'iptables-legacy': iptables('iptables-legacy'),
};

const NAMES = Object.keys(MARKINGS) as Firewall[];

/** All firewalls as one marking. Each firewall handles the groups that it marks. */
export const firewalls: Marking = {
  wanted: (groups, facts) =>
    NAMES.flatMap((name) => {
      const own = groups.filter(({ firewall }) => firewall === name);
      return own.length === 0 ? [] : MARKINGS[name].wanted(own, facts);
    }),
  transactions: (changes) =>
    NAMES.flatMap((name) =>
      MARKINGS[name].transactions(
        changes.filter(({ thing }) =>
          thing.kind === 'firewall' ? thing.by === name : thing.kind === 'builtin' && name === 'iptables-nft',
        ),
      ),
    ),
};
