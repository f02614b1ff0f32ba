import { existsSync, readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import type { FirewallChoice } from '../request.js';
import type { Firewall } from '../plan/things.js';
import { ignoring } from './cgroup.js';
import { runTools, TOOL_ENVIRONMENT, type Done, type Job } from './tools.js';

/** Whether a tool is on the path that our tools are looked for on. */
const isInstalled = (tool: string): boolean =>
  TOOL_ENVIRONMENT.PATH.split(':').some((directory) => existsSync(`${directory}/${tool}`));

/**
 * The firewall for a new group. `auto` is nftables where it is installed; `iptables` the variant that holds rules
 * already, else the one on nf_tables. Throws where the one that is asked for is not installed.
 */
export function chooseFirewall(choice: FirewallChoice): Firewall {
  const wish = choice === 'auto' ? (hasNft() || !hasIptables() ? 'nft' : 'iptables') : choice;
  if (wish === 'nft') return 'nft';
  const variant = iptablesInUse();
  if (isInstalled(`${variant}-restore`)) return variant;
  throw new ViaError('firewall', variant, 'not found', { hint: 'install iptables' });
}

/** What a group of this choice may be marked by. */
export const firewallsOf = (choice: FirewallChoice): readonly Firewall[] =>
  choice === 'nft' ? ['nft'] : choice === 'iptables' ? IPTABLES : ['nft', ...IPTABLES];

const IPTABLES = ['iptables-nft', 'iptables-legacy'] as const;

/** The firewall of a kernel without nf_tables; undefined where iptables is not installed. */
export const firewallWithoutNft = (): Firewall | undefined =>
  [...IPTABLES].reverse().find((name) => isInstalled(`${name}-restore`));

/** Whether nftables is installed. */
export const hasNft = (): boolean => isInstalled('nft');

const hasIptables = (): boolean => IPTABLES.some((name) => isInstalled(`${name}-restore`));

/** The variant that holds rules already; the one on nf_tables where legacy does not. */
function iptablesInUse(): Exclude<Firewall, 'nft'> {
  const [first, second] = legacyHasRules() ? ([...IPTABLES].reverse() as [Variant, Variant]) : IPTABLES;
  return isInstalled(`${first}-restore`) || !isInstalled(`${second}-restore`) ? first : second;
}

type Variant = (typeof IPTABLES)[number];

/** Legacy's tables are there once somebody has as much as listed them in this network namespace, and stay. */
function legacyHasRules(): boolean {
  const hasTables = ['ip_tables_names', 'ip6_tables_names'].some((name) => tablesIn(name).join('') !== '');
  if (!hasTables || !isInstalled('iptables-legacy-save')) return false;
  const lists = runTools([{ argv: ['iptables-legacy-save'] }, { argv: ['ip6tables-legacy-save'] }]) ?? [];
  return lists.some(({ output }) => /^-A /m.test(output));
}

/** Prints between the two families' rules. */
export const NEXT_FAMILY = '# IPv6';

/** What lists our rules and chains of a firewall, of both families where the kernel has both. */
export function listJob(firewall: Firewall, v6: boolean): Job {
  if (firewall === 'nft') return { argv: ['nft', '-j', 'list', 'table', 'inet', 'via'] };
  const second = v6 ? ['&&', `echo '${NEXT_FAMILY}'`, '&&', ...saveWords(firewall.replace('ip', 'ip6'))] : [];
  return { argv: ['{', ...saveWords(firewall), ...second, ';', '}'] };
}

/** Whether nft had nothing to list: there is no table of our name. */
export const saysNoTable = ({ output }: Done): boolean => output.includes('No such file or directory');

/**
 * What it says on standard error (that the other variant has tables, say) would stand in the middle of a rule: it is
 * asked for only where it failed.
 */
const saveWords = (name: string): string[] => {
  const save = `${name}-save -c`;
  return ['{', save, '2>/dev/null', '||', '{', save, '>/dev/null;', 'false;', '};', '}'];
};

/**
 * What lists the tables and chains of iptables' that are in nf_tables: iptables itself tells no difference. Not of all
 * families: of a table with an owner, as the second guard is, nft 1.0.6 prints anything, and no JSON at times.
 */
export const builtinJob: Job = {
  argv: ['nft', '-j', "'list tables ip; list tables ip6; list chains ip; list chains ip6'"],
};

/** What lists where others may filter what comes in: legacy's tables only where there are any, since listing makes them. */
export function filterJobs(): Job[] {
  const legacy = [
    ['ip_tables_names', 'iptables-legacy-save'],
    ['ip6_tables_names', 'ip6tables-legacy-save'],
  ] as const;
  return [
    ...(hasNft() ? [{ argv: ['nft', '-j', 'list', 'ruleset'] } as const] : []),
    ...legacy.flatMap(([names, save]) =>
      tablesIn(names).includes('raw') ? [{ argv: [save, '-t', 'raw'] } as const] : [],
    ),
  ];
}

const tablesIn = (names: string): string[] =>
  (ignoring(['ENOENT', 'EACCES'], () => readFileSync(`/proc/net/${names}`, 'utf8')) ?? '').split('\n');

/** The firewalls that are installed: what a killed via left may be in any of them. */
export const installedFirewalls = (): Firewall[] => IPTABLES.filter((name) => isInstalled(`${name}-save`));
