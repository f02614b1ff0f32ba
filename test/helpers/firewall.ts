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

/** What tells which routers the rules know by their link-layer addresses, for a shell on the machine. */
export const listRouters = (): string =>
  marking === 'nft'
    ? 'nft list map inet via arrival_of_router'
    : `${marking}-save | grep -o -e '--mac-source [^ ]*'; ${marking.replace('ip', 'ip6')}-save | grep -o -e '--mac-source [^ ]*'`;

/** What makes a machine one where this firewall is in use, for a shell on it; its tables, once there, stay. */
export const useFirewall = (): string =>
  marking === 'iptables-legacy'
    ? `for table in raw mangle nat filter; do
        iptables-legacy -t $table -S >/dev/null
        ip6tables-legacy -t $table -S >/dev/null
      done
      iptables-legacy -A INPUT -i nowhere -j ACCEPT`
    : ':';
