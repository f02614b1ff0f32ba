import { ViaError } from '../failure.js';
import { isOurs, tableOfLine } from '../kernel/routing.js';
import { fallbacks } from '../plan/fallback.js';
import { TABLE } from '../plan/marking/nftables/nftables.js';
import { FALLBACK_TABLE } from '../plan/numbers.js';
import type { Group } from '../plan/wayout.js';
import type { System } from './look.js';

/** Throws if another tool uses a name that these groups need, if a table cannot be read, or if nf_tables is missing. */
export function refuseForeign({ firewall, facts, routing }: System, groups: readonly Group[]): void {
  const isUsed = ({ by }: Pick<(typeof firewall.foreignChains)[number], 'by'>): boolean =>
    groups.some((group) => group.firewall === by);
  if (firewall.failed !== undefined && isUsed({ by: 'nft' })) throw firewall.failed;
  if (firewall.foreign && isUsed({ by: 'nft' })) {
    const hint = `via needs the name; if nobody needs the table: nft delete table ${TABLE}`;
    throw new ViaError('firewall', `table ${TABLE}`, 'not made by via', { hint });
  }
  const chain = firewall.foreignChains.find(isUsed);
  if (chain !== undefined) {
    const hint = `via needs the name; if nobody needs the chain: ${chain.by} -F ${chain.name}`;
    throw new ViaError('firewall', `chain ${chain.name}`, 'not made by via', { hint });
  }
  const table = firewall.unreadable.find(isUsed);
  if (table !== undefined) {
    const hint = `nft list table ${table.name}`;
    throw new ViaError('firewall', `table ${table.name}`, `holds rules that ${table.by} cannot read`, { hint });
  }
  for (const family of fallbacks(groups, facts).keys()) {
    const there = routing[family].routes.filter((route) => tableOfLine(route) === FALLBACK_TABLE);
    if (there.length === 0 || there.some(isOurs)) continue;
    const hint = 'via needs it where the main table leads nowhere';
    throw new ViaError('routes', `table ${FALLBACK_TABLE}`, `not made by via, for IPv${family}`, { hint });
  }
}
