import type { Facts } from '../../facts.js';
import type { Change, Firewall, FirewallThing } from '../../things.js';
import { FAMILIES, type Family } from '../../family.js';
import type { Group } from '../../wayout.js';
import { arrivals } from '../arrivals.js';
import type { Marking, Transaction } from '../marking.js';
import { chainState, commentsOf } from '../rules.js';
import { groupChains } from './chains.js';
import { jumps } from './jumps.js';
import { sharedChains } from './shared.js';
import { TABLES, type Chain } from './text.js';

/** Marking by one variant of iptables: our own chains in both families, and rules in built-in chains that jump to them. */
export const iptables = (by: IptablesVariant): Marking => ({
  wanted: (groups, facts) =>
    FAMILIES.filter((family) => family === 4 || facts.v6).flatMap((family) => ofFamily(by, family, groups, facts)),
  transactions: (changes) =>
    FAMILIES.flatMap((family) => {
      const input = restoreText(by, family, changes);
      const command = `${family === 4 ? by : by.replace('ip', 'ip6')}-restore`;
      if (input === '') return [];
      const after = changes.flatMap(({ do: what, thing }) =>
        what === 'remove' && thing.kind === 'builtin' && thing.take[family] !== ''
          ? [`nft '${thing.take[family]}'`]
          : [],
      );
      const transaction: Transaction = { argv: [command, '--noflush', '-w', PATIENCE], input };
      return [after[0] === undefined ? transaction : { ...transaction, after: after[0] }];
    }),
});

export type IptablesVariant = Exclude<Firewall, 'nft'>;

/** The seconds that iptables waits for its own lock. */
const PATIENCE = '30';

function ofFamily(by: IptablesVariant, family: Family, groups: readonly Group[], facts: Facts): FirewallThing[] {
  const arrived = arrivals(family, groups, facts);
  const chains = [
    ...groups.flatMap((group) => groupChains(group, family, arrived, facts)),
    ...sharedChains(groups, family, arrived, facts),
  ];
  return [
    ...chains.map((chain) => chainThing(by, family, chain)),
    ...jumps(family).map(({ table, chain, position, text }, i) => {
      const [comment = ''] = commentsOf([{ text, note: `jump ${i}` }]);
      return {
        ...jumpThing(by, family, table, chain, comment),
        add: () => [
          `${position === undefined ? `-A ${chain}` : `-I ${chain} ${position}`} ${withComment(text, comment)}`,
        ],
      };
    }),
  ];
}

/** The input of iptables-restore for the changes of one family; empty without changes. */
function restoreText(by: IptablesVariant, family: Family, changes: readonly Change[]): string {
  return TABLES.map((table) => {
    const ours = changes.filter(({ thing }) => thing.id.startsWith(`${by} ${family} ${table} `));
    const lines = ours.flatMap(({ do: what, thing }) => {
      if (thing.kind !== 'firewall') return [];
      return what === 'remove' ? (thing.remove?.() ?? []) : thing.add();
    });
    if (lines.length === 0) return '';
    const sorted = ORDER.flatMap((start) => lines.filter((line) => line.startsWith(start)));
    return `*${table}\n${sorted.join('\n')}\nCOMMIT\n`;
  }).join('');
}

/** A chain is removed after its references, and made before them. Declaring an existing chain empties it. */
const ORDER = ['-D ', ':', '-A ', '-I ', '-F ', '-X '];

function chainThing(by: IptablesVariant, family: Family, { table, name, rules, owner }: Chain): FirewallThing {
  const comments = commentsOf(rules, owner);
  return {
    ...ourChain(by, family, table, name, comments),
    scope: owner === undefined ? 'namespace' : 'group',
    add: () => [
      `:${name} - [0:0]`,
      ...rules.map(({ text }, i) => `-A ${name} ${withComment(text, comments[i] ?? '')}`),
    ],
  };
}

/** Adds a comment before the target, whose options end the rule. */
const withComment = (text: string, comment: string): string =>
  text.replace(/(^|\s)(-[jg] )/, `$1-m comment --comment "${comment}" $2`);

/** A chain of ours, with the comments of its rules. */
export function ourChain(
  by: IptablesVariant,
  family: Family,
  table: string,
  name: string,
  comments: readonly string[],
): FirewallThing {
  return {
    kind: 'firewall',
    by,
    id: `${by} ${family} ${table} ${name}`,
    scope: 'namespace',
    state: chainState('', comments),
    fixed: false,
    add: () => [],
    remove: () => [`-F ${name}`, `-X ${name}`],
  };
}

/** A rule in a built-in chain, identified by its comment. `rule` is its text as iptables-save lists it. */
export function jumpThing(
  by: IptablesVariant,
  family: Family,
  table: string,
  chain: string,
  comment: string,
  rule = '',
): FirewallThing {
  return {
    kind: 'firewall',
    by,
    id: `${by} ${family} ${table} ${chain} ${comment}`,
    scope: 'namespace',
    state: '',
    fixed: false,
    add: () => [],
    remove: () => [`-D ${chain} ${rule}`],
  };
}
