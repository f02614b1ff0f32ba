import { existsSync, readFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import type { FirewallChoice } from '../request.js';
import type { Firewall } from '../plan/things.js';
import { ignoring } from './cgroup.js';
import { TOOL_ENVIRONMENT, type Job } from './tools.js';

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

/** Whether nftables is installed. */
export const hasNft = (): boolean => isInstalled('nft');

const hasIptables = (): boolean => isInstalled('iptables-nft-restore') || isInstalled('iptables-legacy-restore');

/** Legacy lists its tables there once somebody has used them in this network namespace. */
function iptablesInUse(): Exclude<Firewall, 'nft'> {
  const legacy = ['ip_tables_names', 'ip6_tables_names'].some(
    (name) => (ignoring(['ENOENT', 'EACCES'], () => readFileSync(`/proc/net/${name}`, 'utf8')) ?? '') !== '',
  );
  const [first, second] = legacy
    ? (['iptables-legacy', 'iptables-nft'] as const)
    : (['iptables-nft', 'iptables-legacy'] as const);
  return isInstalled(`${first}-restore`) || !isInstalled(`${second}-restore`) ? first : second;
}

/** Prints between the two families' rules. */
export const NEXT_FAMILY = '# IPv6';

/** What lists our rules and chains of a firewall. */
export function listJob(firewall: Firewall): Job {
  if (firewall === 'nft') return { argv: ['nft', '-j', 'list', 'table', 'inet', 'via'] };
  const save = (name: string): string => `${name}-save -c`;
  return {
    argv: ['{', save(firewall), '&&', `echo '${NEXT_FAMILY}'`, '&&', save(firewall.replace('ip', 'ip6')), ';', '}'],
  };
}
