import type { FirewallThing } from '../../things.js';
import type { Count } from '../listing.js';
import { parseGroupName, parseKey, pathOf, type Family, type Group } from '../../wayout.js';
import { nameOf } from '../arrivals.js';
import { noteIn } from '../rules.js';
import { isOurName, TABLES } from './text.js';
import { jumpThing, ourChain, type IptablesVariant } from './iptables.js';

/** Our chains and rules as they are, the groups they name, and what each of them sent and stopped. */
export interface IptablesSeen {
  readonly things: readonly FirewallThing[];
  readonly groups: readonly Pick<Group, 'uuid' | 'owner' | 'slot' | 'wayOut' | 'firewall'>[];
  readonly sent: ReadonlyMap<number, Count>;
  readonly stopped: ReadonlyMap<number, Count>;
  /** `<next hop>%<device>` -> the link-layer address by which our rules know the router. */
  readonly routers: ReadonlyMap<string, string>;
  /** Chains of our names with nothing in them that we wrote. */
  readonly foreign: readonly string[];
  /** Built-in chains with a rule of somebody else's: `4 mangle OUTPUT`. */
  readonly used: readonly string[];
  /** Tables that we need and of which it prints nothing, for nft has put there what it does not know: `ip mangle`. */
  readonly unreadable: readonly string[];
}

/** `[packets:bytes] -A chain rule` */
interface Line {
  readonly table: string;
  readonly chain: string;
  readonly packets: number;
  readonly bytes: number;
  readonly rule: string;
  readonly comment: string;
}

const OUR_COMMENT = /^[\w-]+\.\d+( |$)/;

/** A rule of somebody else's may have such a comment, but leads elsewhere. */
const isJump = ({ comment, rule }: Line): boolean =>
  /^[\w-]+\.0 jump \d+$/.test(comment) && / -j (via-\w+|TCPMSS --clamp-mss-to-pmtu)$/.test(rule);

/** Reads what `iptables-save -c` printed for one family (iptables-save(8)). */
export function readSave(by: IptablesVariant, family: Family, text: string): IptablesSeen {
  const all: { table: string; name: string }[] = [];
  const lines: Line[] = [];
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    const name = /^:(\S+) - /.exec(line)?.[1] ?? '';
    if (isOurName(name)) all.push({ table, name });
    const [, packets = '', bytes = '', chain = '', rule = ''] = /^\[(\d+):(\d+)\] -A (\S+) (.*)$/.exec(line) ?? [];
    // Without blanks in it, iptables-save prints a comment without quotes.
    const comment =
      /--comment (?:"([^"]*)"|(\S+))/
        .exec(rule)
        ?.slice(1)
        .find((one) => one !== undefined) ?? '';
    if (chain !== '') lines.push({ table, chain, packets: Number(packets), bytes: Number(bytes), rule, comment });
  }
  const of = (where: string, name: string): Line[] =>
    lines.filter((line) => line.table === where && line.chain === name);
  const isForeign = (chain: { table: string; name: string }): boolean => {
    const rules = of(chain.table, chain.name);
    return rules.length > 0 && !rules.some(({ comment }) => OUR_COMMENT.test(comment));
  };
  const chains = all.filter((chain) => !isForeign(chain));
  const builtin = lines.filter(({ chain }) => !isOurName(chain));
  const jumps = builtin.filter((line) => isJump(line));
  /** What a rule of each group's chain of this name has counted, by slot. */
  const countsOf = (chain: string, pick: (lines: readonly Line[]) => Line | undefined): Map<number, Count> =>
    new Map(
      chains.flatMap(({ name }) => {
        const [, kind, slot] = /^(via-[a-z]+)-(\d+)$/.exec(name) ?? [];
        if (kind !== chain) return [];
        const { packets = 0, bytes = 0 } = pick(of('mangle', name)) ?? {};
        return [[Number(slot), { packets, bytes }] as const];
      }),
    );
  const groups = chains.flatMap(({ name }) => {
    const slot = Number(/^via-guard-(\d+)$/.exec(name)?.[1]);
    const named = parseGroupName(noteIn(of('mangle', name).at(-1)?.comment ?? ''));
    const wayOut = parseKey(noteIn(of('mangle', `via-new-${slot}`).at(-1)?.comment ?? '') ?? '');
    return named === undefined || wayOut === undefined ? [] : [{ ...named, slot, wayOut, firewall: by }];
  });
  return {
    things: [
      ...chains.map(({ table: where, name }) => {
        const comments = of(where, name).map(({ comment }) => comment);
        return ourChain(by, family, where, name, comments);
      }),
      ...jumps.map((line) => jumpThing(by, family, line.table, line.chain, line.comment, line.rule)),
    ],
    groups,
    foreign: all.filter(isForeign).map(({ name }) => name),
    unreadable: TABLES.filter((name) => text.includes(`# Table \`${name}' is incompatible, `)).map(
      (name) => `${family === 4 ? 'ip' : 'ip6'} ${name}`,
    ),
    routers: new Map(
      of('mangle', 'via-in').flatMap(({ comment }) => {
        const [slot, device, router] = noteIn(comment)?.split(' ') ?? [];
        const group = groups.find((one) => one.slot === Number(slot));
        const path = group === undefined ? undefined : pathOf(group.wayOut, family);
        if (router === undefined || path?.nextHop === undefined || path.device !== device) return [];
        return [[nameOf(path), router] as const];
      }),
    ),
    used: builtin.filter((line) => !isJump(line)).map(({ table: where, chain }) => `${family} ${where} ${chain}`),
    sent: countsOf('via-sent', (lines) => lines.find(({ rule }) => rule.includes('-o '))),
    stopped: countsOf('via-guard', (lines) => lines.at(-1)),
  };
}
