import { existsSync, readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import type { FirewallChoice } from '../request.js';
import type { Firewall } from '../plan/things.js';
import { ignoring } from './cgroup.js';
import { runTools, TOOL_ENVIRONMENT, type Done, type Job } from './tools.js';

/** True if a tool is on the PATH of our tools. */
const isInstalled = (tool: string): boolean =>
  TOOL_ENVIRONMENT.PATH.split(':').some((directory) => existsSync(`${directory}/${tool}`));

/**
 * Chooses the firewall for a new group. `auto` means nftables if it is installed. `iptables` means the variant that
 * already has rules, else iptables-nft. Throws if the requested one is not installed.
 */
export function chooseFirewall(choice: FirewallChoice): Firewall {
  const wish = choice === 'auto' ? (hasNft() || !hasIptables() ? 'nft' : 'iptables') : choice;
  if (wish === 'nft') return 'nft';
  const variant = iptablesInUse();
  if (isInstalled(`${variant}-restore`)) return variant;
  throw new ViaError('firewall', variant, 'not found', { hint: 'install iptables' });
}

/** The firewalls that satisfy a choice. */
export const firewallsOf = (choice: FirewallChoice): readonly Firewall[] =>
  choice === 'nft' ? ['nft'] : choice === 'iptables' ? IPTABLES : ['nft', ...IPTABLES];

const IPTABLES = ['iptables-nft', 'iptables-legacy'] as const;

/** The firewall to use on a kernel without nf_tables; undefined if iptables is not installed. */
export const firewallWithoutNft = (): Firewall | undefined =>
  [...IPTABLES].reverse().find((name) => isInstalled(`${name}-restore`));

/** True if nftables is installed. */
export const hasNft = (): boolean => isInstalled('nft');

const hasIptables = (): boolean => IPTABLES.some((name) => isInstalled(`${name}-restore`));

/** The variant of iptables in use: iptables-legacy if it has rules, else iptables-nft. */
function iptablesInUse(): Exclude<Firewall, 'nft'> {
  const [first, second] = legacyHasRules() ? ([...IPTABLES].reverse() as [Variant, Variant]) : IPTABLES;
  return isInstalled(`${first}-restore`) || !isInstalled(`${second}-restore`) ? first : second;
}

type Variant = (typeof IPTABLES)[number];

/** True if iptables-legacy has rules. Its tables alone prove nothing: listing them creates them, and they stay. */
function legacyHasRules(): boolean {
  const hasTables = ['ip_tables_names', 'ip6_tables_names'].some((name) => tablesIn(name).join('') !== '');
  if (!hasTables || !isInstalled('iptables-legacy-save')) return false;
  const lists = runTools([{ argv: ['iptables-legacy-save'] }, { argv: ['ip6tables-legacy-save'] }]) ?? [];
  return lists.some(({ output }) => /^-A /m.test(output));
}

/** The line between the rules of the two families. */
export const NEXT_FAMILY = '# IPv6';

/** The process that lists our rules and chains of a firewall, of both families if the kernel has both. */
export function listJob(firewall: Firewall, v6: boolean): Job {
  if (firewall === 'nft') return { argv: ['nft', '-j', 'list', 'table', 'inet', 'via'] };
  const second = v6 ? ['&&', `echo '${NEXT_FAMILY}'`, '&&', ...saveWords(firewall.replace('ip', 'ip6'))] : [];
  return { argv: ['{', ...saveWords(firewall), ...second, ';', '}'] };
}

/** True if nft listed nothing because our table does not exist. */
export const saysNoTable = ({ output }: Done): boolean => output.includes('No such file or directory');

/**
 * The words that run iptables-save. Its warnings on standard error could end up within a rule, so standard error is
 * only read, by a second run, if the first has failed.
 */
const saveWords = (name: string): string[] => {
  const save = `${name}-save -c`;
  return ['{', save, '2>/dev/null', '||', '{', save, '>/dev/null;', 'false;', '};', '}'];
};

/**
 * The process that lists the tables and chains of iptables-nft. iptables-save does not show whether a built-in chain
 * exists. Only these families are listed, because nft 1.0.6 prints broken JSON for a table with an owner.
 */
export const builtinJob: Job = {
  argv: ['nft', '-j', "'list tables ip; list tables ip6; list chains ip; list chains ip6'"],
};

/**
 * The processes that list other tools' filters for received packets. iptables-legacy is only asked if it has tables,
 * because listing them creates them.
 */
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

/** The variants of iptables that are installed. A killed via may have left rules in any of them. */
export const installedFirewalls = (): Firewall[] => IPTABLES.filter((name) => isInstalled(`${name}-save`));
