import type { ExecutionContext } from 'ava';
import { watchOthers } from '../closed/other-path.js';
import { inGroup, startSender, type Sender } from '../closed/senders.js';
import { seesAll } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { probe } from '../helpers/probes.js';
import { by } from '../helpers/runners.js';
import { gateways, type Gateway } from '../helpers/topology.js';

/** Rules of somebody else's, as a shell makes them. */
export interface Foreign {
  readonly name: string;
  readonly makes: string;
  readonly removes: string;
  /** Prints how many packets each rule had. */
  readonly hits: string;
  /** The group is served beside them; else what of it is not served does not leave. */
  readonly served: boolean;
}

/** One chain of nft's with one rule, in both families; `hook` is type, hook and priority, as `filter output -300`. */
export function nft(hook: string, rule: string, served = true): Foreign {
  return { name: `nft ${hook}: ${rule}`, ...nftTable([[hook, rule]]), served };
}

/** The same with several chains. */
export function nftTable(chains: readonly (readonly [hook: string, rule: string])[]): Omit<Foreign, 'name' | 'served'> {
  const text = chains.map(([hook, rule], i) => {
    const [type, point, priority] = hook.split(' ');
    return `chain c${i} { type ${type} hook ${point} priority ${priority}; oifname "lo" accept; iifname "lo" accept; counter; ${rule}; }`;
  });
  return {
    makes: `nft -f - <<'X'\ntable inet foreign {\n${text.join('\n')}\n}\nX`,
    removes: 'nft delete table inet foreign',
    hits: `nft list table inet foreign | grep -o 'packets [0-9]*'`,
  };
}

/** Rules of a variant of iptables in both families, each as `mangle OUTPUT -j X`; they are appended. */
export function iptables(variant: 'nft' | 'legacy', rules: readonly string[], served = true): Foreign {
  const each = (words: (rule: string) => string) =>
    rules.flatMap((rule) => ['iptables', 'ip6tables'].map((tool) => `${tool}-${variant} -w ${words(rule)}`)).join('\n');
  const at = (rule: string, verb: string) => rule.replace(/^(\S+) (\S+)/, `-t $1 ${verb} $2`);
  return {
    name: `iptables-${variant} ${rules.join('; ')}`,
    makes: each((rule) => at(rule, '-A')),
    removes: each((rule) => at(rule, '-D')),
    hits: each(
      (rule) =>
        `${at(rule, '-L').split(' ').slice(0, 4).join(' ')} -nvx | sed 1,2d | grep -v via- | awk '{print "packets " $1}'`,
    ),
    served,
  };
}

/**
 * Beside each of these rules a group is right, or closed: not one packet on another path, by what it has open already
 * and by what is new; so is a group that is made then. The rules stay as they are, and in the end nothing is left.
 */
export async function beside(t: ExecutionContext, gateway: Gateway, all: readonly Foreign[]): Promise<void> {
  const lab = await makeLab(t);
  for (const { makes, removes } of all) await lab.sh('client', `${makes}\n${removes}`);
  const { left } = await leaving(lab, async () => {
    // One for all, which goes on behind them: what is on its way at a group's end is answered by the usual way.
    const sender = await startSender(lab, (argv) => inGroup('via', gateway, argv));
    for (const foreign of all) {
      await sender.served(gateway);
      await lab.sh('client', foreign.makes);
      await underway(t, lab, gateway, foreign, sender);
      await lab.sh('client', foreign.removes);
    }
    await sender.end();
  });
  t.deepEqual(left.filter(isNoTable), []);
}

/** The tables of legacy iptables, once used, stay (CAVEATS): also where it is taken since somebody has rules there. */
export const isNoTable = (line: string): boolean =>
  !/^ip6?tables(-legacy)? \+ (raw|mangle|nat|filter|\*\w+|:[A-Z]+ ACCEPT|COMMIT|# Warning: .*)$/.test(line);

async function underway(
  t: ExecutionContext,
  lab: Lab,
  gateway: Gateway,
  { name, hits, served }: Foreign,
  sender: Sender,
): Promise<void> {
  const before = await lab.sh('client', listForeign);
  const capture = await watchOthers(lab, gateway);
  const answers = await sender.rounds(24);
  const others = [...answers.values()].flatMap((who) => [...who]).filter((who) => who !== gateway);
  t.deepEqual(others, [], name);
  if (served) await t.notThrowsAsync(sender.served(gateway), name);
  const fresh = await probe(by(lab, gateways[gateway].v4), 'udp', 4, { timeout: served ? 1 : 0.2 });
  if (served || fresh.gateway !== null) t.is(fresh.gateway, gateway, name);
  // Of a connection that has lost its mark to iptables, the kernel's own resets can go astray (CAVEATS).
  const astray = (await capture.stop()).filter((line) => seesAll() || !line.includes('Flags [R]'));
  t.deepEqual(astray.slice(0, 3), [], name);
  const counted = [...(await lab.sh('client', hits)).matchAll(/packets (\d+)/g)].map(([, count]) => Number(count));
  t.true(counted.length > 0 && counted.every((count) => count > 0), `${name}: ${counted.join()} hits`);
  t.is(await lab.sh('client', listForeign), before, name);
}

/** Rules of others as they are, without what they count. */
const listForeign = `nft -s list table inet foreign 2>/dev/null || :
  for tool in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
    $tool-save | grep '^-A' | grep -v via- || :
  done`;
