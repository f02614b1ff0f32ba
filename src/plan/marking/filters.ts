/** The parts of `nft -j list ruleset` that are read (libnftables-json(5)). */
interface Listed {
  readonly chain?: Place & { readonly name: string; readonly hook?: string; readonly prio?: number };
  readonly rule?: Place & { readonly chain: string; readonly expr?: readonly unknown[] };
}

interface Place {
  readonly family: string;
  readonly table: string;
}

/** The priority in prerouting at which an answer gets our mark. An earlier filter sees no mark. */
const RESTORED = -199;

/**
 * The chains of nftables with a reverse path filter that cannot see our mark, because it is ahead of conntrack or ignores
 * marks. `json` is the output of `nft -j list ruleset`.
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

/** `fib saddr . mark . iif oif`, or rpfilter of iptables, of which nft shows only the name. */
function isBlind(expressions: string, isEarly: boolean): boolean {
  const [, flags] = /"fib":\{"result":"oif","flags":\[([^\]]*)\]/.exec(expressions) ?? [];
  if (flags !== undefined) return flags.includes('"saddr"') && (isEarly || !flags.includes('"mark"'));
  return isEarly && expressions.includes('"name":"rpfilter"');
}

/** The same for iptables-legacy. `text` is the output of `iptables-legacy-save -t raw`. */
export const blindFilterInRaw = (text: string): boolean => /^-A .*-m rpfilter /m.test(text);
