/** What of `nft -j list ruleset` is read (libnftables-json(5)). */
interface Listed {
  readonly chain?: Place & { readonly name: string; readonly hook?: string; readonly prio?: number };
  readonly rule?: Place & { readonly chain: string; readonly expr?: readonly unknown[] };
}

interface Place {
  readonly family: string;
  readonly table: string;
}

/** Our mark comes back to an answer at this priority of prerouting; whoever looks before sees none. */
const RESTORED = -199;

/**
 * The chains of nftables, in the words of `nft`, with a reverse path filter that cannot see our mark: ahead of
 * connection tracking, or one that does not look at marks. Given is what `nft -j list ruleset` printed.
 */
export function blindFilters(json: string): string[] {
  if (!json.startsWith('{')) return [];
  const { nftables } = JSON.parse(json) as { nftables: readonly Listed[] };
  const hooked = nftables.flatMap(({ chain }) => (chain?.hook === 'prerouting' ? [chain] : []));
  const found = hooked.filter(({ family, table, name, prio = 0 }) =>
    nftables.some(
      ({ rule }) =>
        rule?.chain === name &&
        rule.table === table &&
        rule.family === family &&
        isBlind(JSON.stringify(rule.expr ?? []), prio < RESTORED),
    ),
  );
  return found.map(({ family, table, name }) => `chain ${family} ${table} ${name}`);
}

/** `fib saddr . mark . iif oif`, or rpfilter of iptables, of which nft shows no more than its name. */
function isBlind(expressions: string, isEarly: boolean): boolean {
  const [, flags] = /"fib":\{"result":"oif","flags":\[([^\]]*)\]/.exec(expressions) ?? [];
  if (flags !== undefined) return flags.includes('"saddr"') && (isEarly || !flags.includes('"mark"'));
  return isEarly && expressions.includes('"name":"rpfilter"');
}

/** The same in iptables' own tables; given is what `iptables-legacy-save -t raw` printed, or ip6tables'. */
export const blindFilterInRaw = (text: string): boolean => /^-A .*-m rpfilter /m.test(text);
