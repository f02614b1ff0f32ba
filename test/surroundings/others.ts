import type { Lab } from '../helpers/lab.js';
import { useFirewall } from '../helpers/firewall.js';
import { diff, snapshot, type Snapshot } from '../helpers/snapshot.js';

/** What loads a set of rules on the client. */
export type Loader = 'iptables-nft' | 'iptables-legacy' | 'nft';
export const loaders: readonly Loader[] = ['iptables-nft', 'iptables-legacy', 'nft'];

/** Rules of somebody else's, as `iptables-restore` takes them, and the same for nft in tables of their own. */
export interface Others {
  readonly iptables: string;
  readonly ip6tables: string;
  readonly nft: string;
  /** What else comes with them; for a shell. */
  readonly rest: string;
}

/** The script that loads them; `iptables-restore -n` leaves what is there, as those programs do. */
export function load({ iptables, ip6tables, nft, rest }: Others, by: Loader): string {
  if (by === 'nft') return `${rest}\nnft -f - <<'END'\n${nft}\nEND`;
  return `${rest}
    ${by === 'iptables-legacy' ? makeTables : ''}
    ${by}-restore -n <<'END'
${iptables}
END
    ${by.replace('ip', 'ip6')}-restore -n <<'END'
${ip6tables}
END`;
}

/** Takes away all rules, whoever made them. */
const unloadAll = `
  nft flush ruleset
  for tool in iptables-legacy ip6tables-legacy; do
    for table in $(sort -u /proc/net/ip_tables_names /proc/net/ip6_tables_names); do
      $tool -t $table -F; $tool -t $table -X
    done
  done
  for family in -4 -6; do
    for pref in 5210 5230 5250 5270; do ip $family rule del pref $pref 2>/dev/null || :; done
    ip $family route flush table 52 2>/dev/null || :
  done`;

/** A table of legacy's is there for good once somebody has looked into it, via among others. */
const makeTables = `for table in raw mangle nat filter; do
      iptables-legacy -t $table -S >/dev/null; ip6tables-legacy -t $table -S >/dev/null
    done`;

/** Takes away the rules that lead to the tables of groups, which the next launch has to put back. */
export const loseOurs = `
  for family in -4 -6; do ip $family rule del pref $(ip $family rule | sed -n '/iif lo/s/:.*//p'); done`;

/**
 * How what is there now differs from what there is after the same rules are loaded where no group ever was. nft lists
 * the tables of iptables by their age, and prints a target that it does not know in another manner each time.
 */
export async function asWithoutUs(lab: Lab, others: Others, by: Loader): Promise<string[]> {
  const texts = async (): Promise<Snapshot> => {
    const tables = (await lab.sh('client', 'nft list tables')).split('\n').sort().join('\n');
    const seen = await snapshot(lab);
    return by === 'nft' ? seen : { ...seen, nft: tables };
  };
  const now = await texts();
  await lab.sh('client', unloadAll);
  await lab.sh('client', useFirewall());
  await lab.sh('client', load(others, by));
  return diff(await texts(), now);
}
