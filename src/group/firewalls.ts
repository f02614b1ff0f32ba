import type { ViaError } from '../failure.js';
import { builtinJob, hasNft, listJob, NEXT_FAMILY, saysNoTable } from '../kernel/firewall.js';
import { hasV6, netnsOf } from '../kernel/proc.js';
import { toolError, type Done, type Job } from '../kernel/tools.js';
import { absentIn, readBuiltins, takeAway, type Builtins } from '../plan/marking/iptables/builtin.js';
import { readSave, type SeenChains } from '../plan/marking/iptables/listing.js';
import { readListing, type SeenTable } from '../plan/marking/nftables/listing.js';
import type { Count } from '../plan/marking/seen.js';
import type { BuiltinThing, Firewall, FirewallThing } from '../plan/things.js';
import { builtinText, builtinThing } from '../plan/wanted.js';
import type { Records } from '../state/records.js';

/** Our rules in all firewalls, and the other state of firewalls that matters. */
export interface Firewalls extends SeenTable {
  /** The error of nft, if this kernel has no nf_tables. */
  readonly failed?: ViaError;
  readonly builtins?: Builtins;
  /** Chains of iptables that have our names but not our tag. */
  readonly foreignChains: readonly { readonly by: Firewall; readonly name: string }[];
  /** Tables of iptables-nft that iptables-save cannot read. */
  readonly unreadable: readonly { readonly by: Firewall; readonly name: string }[];
}

/**
 * The processes that list firewalls: those of recorded groups of this network namespace, and the given ones. nftables is
 * always listed if it is installed.
 */
export function firewallJobs(more: readonly Firewall[], { groups, builtins }: Records): Job[] {
  const namespace = netnsOf('self');
  const here = [...groups.values()].filter(({ record }) => record.namespace === namespace);
  const nft = hasNft();
  const firewalls = new Set<Firewall>([
    ...(nft ? ['nft' as const] : []),
    ...more,
    ...here.map(({ record }) => record.firewall),
    ...(builtins.some((record) => record.namespace === namespace) ? ['iptables-nft' as const] : []),
  ]);
  const lists = [...firewalls].map((firewall) => listJob(firewall, hasV6()));
  return nft && firewalls.has('iptables-nft') ? [...lists, builtinJob] : lists;
}

/** Combines their output. Throws if one of them failed, except nft on a kernel without nf_tables. */
export function firewallsIn(done: readonly Done[]): Firewalls {
  const isNft = ({ job }: Done): boolean => job.argv.join(' ') === listJob('nft', true).argv.join(' ');
  const nft = nftOf(done.find(isNft));
  const iptables = done.flatMap((one) => iptablesOf(one));
  const builtin = done.find(({ job }) => job === builtinJob);
  const used = iptables.flatMap((one) => (one.by === 'iptables-nft' ? one.used : []));
  const ours = new Set(iptables.flatMap(({ things }) => things.map(({ id }) => id.replace(/^iptables-nft /, ''))));
  const builtins = builtin?.status === 0 ? readBuiltins(builtin.output, used, ours) : undefined;
  return {
    ...nft,
    things: [...nft.things, ...iptables.flatMap(({ things }) => things)],
    groups: [...nft.groups, ...iptables.flatMap(({ groups }) => groups)],
    routers: new Map([nft, ...iptables].flatMap(({ routers }) => [...routers])),
    foreignChains: iptables.flatMap(({ by, foreign }) => foreign.map((name) => ({ by, name }))),
    unreadable: iptables.flatMap(({ by, unreadable }) => unreadable.map((name) => ({ by, name }))),
    sent: sums([nft, ...iptables].flatMap(({ sent }) => [...sent])),
    stopped: sums([nft, ...iptables].flatMap(({ stopped }) => [...stopped])),
    ...(builtins === undefined ? {} : { builtins }),
  };
}

/** Adds up counters: iptables has one for each family. */
function sums(counts: readonly (readonly [number, Count])[]): Map<number, Count> {
  const all = new Map<number, Count>();
  for (const [slot, { packets, bytes }] of counts) {
    const before = all.get(slot) ?? { packets: 0, bytes: 0 };
    all.set(slot, { packets: before.packets + packets, bytes: before.bytes + bytes });
  }
  return all;
}

/**
 * The iptables-nft tables and chains that did not exist before us, and their record. The number of a network namespace
 * may be reused, so a record counts only while other things of ours exist.
 */
export function builtinsOf(
  { builtins }: Firewalls,
  { builtins: records }: Records,
  namespace: string,
  isUsed: boolean,
): { absent?: readonly string[]; things: BuiltinThing[] } {
  const record = records.find((one) => one.namespace === namespace);
  const valid = isUsed ? record : undefined;
  const absent = valid?.absent ?? (builtins === undefined ? undefined : absentIn(builtins));
  const take = (family: 4 | 6): string =>
    valid === undefined || builtins === undefined ? '' : takeAway(family, valid.absent, builtins);
  const things =
    record === undefined ? [] : [builtinThing(builtinText(record.absent), namespace, { 4: take(4), 6: take(6) })];
  return absent === undefined ? { things } : { absent, things };
}

/** The messages of nft 0.9 and 1.0 on a kernel without nf_tables. */
const DENIED = /not permitted/i;
const NO_NF_TABLES = /operation not supported|protocol not supported|cache initialization failed/i;

function nftOf(done: Done | undefined): SeenTable & { failed?: ViaError } {
  if (done === undefined || saysNoTable(done)) return readListing('');
  if (done.status === 0) return readListing(done.output);
  const failed = toolError('firewall', done);
  if (!NO_NF_TABLES.test(done.output) || DENIED.test(done.output)) throw failed;
  return { ...readListing(''), failed };
}

interface Listed extends SeenChains {
  readonly by: Exclude<Firewall, 'nft'>;
  readonly things: readonly FirewallThing[];
}

function iptablesOf({ job, status, output }: Done): Listed[] {
  const by = IPTABLES.find((name) => job.argv.includes(`${name}-save -c`));
  if (by === undefined) return [];
  if (status !== 0) {
    // One shell lists both families, so its status does not show which tool is missing.
    const [, missing] = /(ip6?tables-\w+-save): (?:command )?not found$/m.exec(output) ?? [];
    const job: Job = { argv: [missing ?? `${by}-save`] };
    throw toolError('firewall', { job, status: missing === undefined ? status : 127, output: withoutRules(output) });
  }
  const [v4 = '', v6 = ''] = output.split(BORDER);
  return [
    { by, ...readSave(by, 4, v4) },
    { by, ...readSave(by, 6, v6) },
  ];
}

/** The error messages in a listing that was cut off, without the rules before them. */
const withoutRules = (output: string): string => output.replace(/^([#*:[-]|COMMIT$).*$/gm, '');

const IPTABLES = ['iptables-nft', 'iptables-legacy'] as const;

/** A whole line, because a rule's comment may contain the same text. */
const BORDER = new RegExp(`^${NEXT_FAMILY}$`, 'm');
