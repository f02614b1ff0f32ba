import { FAMILIES, type Family } from '../../family.js';
import { TABLES, type Table } from './text.js';

/** The built-in chains of each table (iptables(8)). */
const BUILTIN: Readonly<Record<Table, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** What of iptables' tables is in nf_tables: `4 mangle` and `4 mangle OUTPUT`. */
export interface Builtins {
  readonly present: ReadonlySet<string>;
  /** Tables with a chain of somebody else's, and built-in chains with a rule of theirs or another policy than to accept. */
  readonly taken: ReadonlySet<string>;
}

interface Listed {
  readonly table?: { readonly family: string; readonly name: string };
  readonly chain?: { readonly family: string; readonly table: string; readonly name: string; readonly policy?: string };
}

/**
 * Reads what `nft -j` printed of tables and chains, an object on each line. `used` are chains with others' rules, `ours` the
 * chains of via, also of another version.
 */
export function readBuiltins(text: string, used: readonly string[], ours: ReadonlySet<string>): Builtins {
  const present = new Set<string>();
  const taken = new Set<string>(used);
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  for (const { table, chain } of lines.flatMap((line) => (JSON.parse(line) as { nftables: Listed[] }).nftables)) {
    const family = (table ?? chain)?.family === 'ip' ? 4 : (table ?? chain)?.family === 'ip6' ? 6 : undefined;
    if (family === undefined) continue;
    if (table !== undefined) present.add(`${family} ${table.name}`);
    if (chain === undefined) continue;
    const name = `${family} ${chain.table} ${chain.name}`;
    present.add(name);
    const isBuiltin = BUILTIN[chain.table as Table]?.includes(chain.name) === true;
    if (isBuiltin && chain.policy !== 'accept') taken.add(name);
    if (!isBuiltin && !ours.has(name)) taken.add(`${family} ${chain.table}`);
  }
  return { present, taken };
}

/** The tables and built-in chains that are not there: iptables makes them when it needs them, and leaves them. */
export const absentIn = ({ present }: Builtins): string[] =>
  FAMILIES.flatMap((family) =>
    TABLES.flatMap((table) => [`${family} ${table}`, ...BUILTIN[table].map((chain) => `${family} ${table} ${chain}`)]),
  ).filter((name) => !present.has(name));

/**
 * The transaction that takes away what was absent before us; empty where that is nothing. It fails as a whole once
 * somebody uses it: a chain with a rule in it cannot be deleted, and one that must not be there cannot be created.
 */
export function takeAway(family: Family, absent: readonly string[], { present, taken }: Builtins): string {
  const protocol = family === 4 ? 'ip' : 'ip6';
  const lines = TABLES.flatMap((table) => {
    const name = `${family} ${table}`;
    const free = BUILTIN[table].filter((chain) => {
      const own = `${name} ${chain}`;
      return absent.includes(own) && !taken.has(own);
    });
    const deleted = free.filter((chain) => present.has(`${name} ${chain}`));
    const isWhole =
      present.has(name) && absent.includes(name) && !taken.has(name) && free.length === BUILTIN[table].length;
    const missing = isWhole ? free.filter((chain) => !deleted.includes(chain)) : [];
    return [
      ...missing.map((chain) => `create chain ${protocol} ${table} ${chain}`),
      ...[...missing, ...deleted].map((chain) => `delete chain ${protocol} ${table} ${chain}`),
      ...(isWhole ? [`delete table ${protocol} ${table}`] : []),
    ];
  });
  return lines.join('; ');
}
