import type { Firewall } from '../../src/plan/things.js';
import { viaBin } from './paths.js';

let marking: Firewall = 'nft';

/** From now on, what this test file launches is marked by this firewall, and its labs are made for that. */
export function markBy(firewall: Firewall): void {
  marking = firewall;
}

/** The command line of a launch with these words, or of via with a word of its own. */
export const launchWords = (words: readonly string[]): string[] =>
  marking === 'nft' || words[0] === 'sweep' || words[0] === 'none'
    ? [viaBin, ...words]
    : [viaBin, '--firewall', 'iptables', ...words];

/** Whether it can look at a packet's next hop, and at the class of an answer to a SYN. */
export const seesAll = (): boolean => marking === 'nft';

/** The gateways whose guard sees whatever leaves by another path: g3 is on a link with main's router. */
export const guarded = (): ('g2' | 'g3')[] => (seesAll() ? ['g2', 'g3'] : ['g2']);

/** Whether the same is to be done by the classic recipe too: it is the same for every firewall. */
export const withClassic = seesAll;

/** What tells which routers the rules know by their link-layer addresses, for a shell on the machine. */
export const listRouters = (): string =>
  marking === 'nft'
    ? 'nft list map inet via arrival_of_router'
    : `{ ${marking}-save; ${marking.replace('ip', 'ip6')}-save; } | grep -e '-A via-in ' | grep -o -e '--mac-source [^ ]*'`;

/** What takes away all that marks the packets of groups, and what the next launch has to put back; for a shell. */
export const unmark = (): string =>
  marking === 'nft'
    ? 'nft flush chain inet via classify'
    : `${marking} -t mangle -F OUTPUT; ${marking.replace('ip', 'ip6')} -t mangle -F OUTPUT`;

/** What takes away the rules that restore the mark of what comes in, and what fails while they are not there. */
export const unrestore = (): string =>
  marking === 'nft' ? 'nft flush chain inet via restore' : `${marking} -t mangle -F PREROUTING`;
export const listRestore = (): string =>
  marking === 'nft'
    ? 'nft list chain inet via restore | grep -q vmap'
    : `${marking} -t mangle -S PREROUTING | grep -q via-pre`;

/** How many packets the guards of all groups have stopped; for a shell, a number on each line. */
export const listStopped = (): string =>
  marking === 'nft'
    ? `nft list counters table inet via | sed -n '/stopped_/,/}/s/.*packets \\([0-9]*\\).*/\\1/p'`
    : `{ ${marking}-save -c; ${marking.replace('ip', 'ip6')}-save -c; } | sed -n '/-A via-guard-.* -j DROP/s/^\\[\\([0-9]*\\).*/\\1/p'`;

/** The commands of iptables that somebody else on such a machine uses, by family. */
export const othersIptables = (): { 4: string; 6: string } => {
  const variant = marking === 'nft' ? 'iptables-nft' : marking;
  return { 4: variant, 6: variant.replace('ip', 'ip6') };
};

/** What makes a machine one where this firewall is in use, for a shell on it; its tables, once there, stay. */
export const useFirewall = (): string =>
  marking === 'iptables-legacy'
    ? `for table in raw mangle nat filter; do
        iptables-legacy -t $table -S >/dev/null
        ip6tables-legacy -t $table -S >/dev/null
      done
      iptables-legacy -A INPUT -i nowhere -j ACCEPT`
    : ':';
