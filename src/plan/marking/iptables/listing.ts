import type { Family } from '../../family.js';
import { noteIn } from '../rules.js';
import { namedGroup, namedRouter, type Count, type SeenRules } from '../seen.js';
import { isOurName, mayBeOurName, TABLES } from './text.js';
import { jumpThing, ourChain, type IptablesVariant } from './iptables.js';

/** Our chains and rules of one family as they exist. */
export interface SeenChains extends SeenRules {
  /** Chains that have our names but no rule of ours. */
  readonly foreign: readonly string[];
  /** Built-in chains that have rules of other tools: `4 mangle OUTPUT`. */
  readonly used: readonly string[];
  /** Tables that iptables-save cannot print, because nft(8) added rules to them: `ip mangle`. */
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

/** Another tool's rule may have the same form of comment, but no such target. */
const isJump = ({ comment, rule }: Line): boolean =>
  /^[\w-]+\.0 jump \d+$/.test(comment) && / -j (via-\w+|TCPMSS --clamp-mss-to-pmtu)$/.test(rule);

/** Reads the output of `iptables-save -c` for one family (iptables-save(8)). */
export function readSave(by: IptablesVariant, family: Family, text: string): SeenChains {
  const all: { table: string; name: string }[] = [];
  const lines: Line[] = [];
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    const name = /^:(\S+) - /.exec(line)?.[1] ?? '';
    if (mayBeOurName(name)) all.push({ table, name });
    const [, packets = '', bytes = '', chain = '', rule = ''] = /^\[(\d+):(\d+)\] -A (\S+) (.*)$/.exec(line) ?? [];
    // iptables-save quotes a comment only if it has blanks.
    const comment =
      /--comment (?:"([^"]*)"|(\S+))/
        .exec(rule)
        ?.slice(1)
        .find((one) => one !== undefined) ?? '';
    if (chain !== '') lines.push({ table, chain, packets: Number(packets), bytes: Number(bytes), rule, comment });
  }
  const of = (where: string, name: string): Line[] =>
    lines.filter((line) => line.table === where && line.chain === name);
  const isMarked = ({ table: where, name }: { table: string; name: string }): boolean =>
    of(where, name).some(({ comment }) => OUR_COMMENT.test(comment));
  const isForeign = (chain: { table: string; name: string }): boolean =>
    isOurName(chain.name) && of(chain.table, chain.name).length > 0 && !isMarked(chain);
  // A chain of another version may have a name that this one does not know.
  const chains = all.filter((chain) => (isOurName(chain.name) ? !isForeign(chain) : isMarked(chain)));
  const names = new Set(chains.map(({ name }) => name));
  const builtin = lines.filter(({ chain }) => !isOurName(chain) && !names.has(chain));
  const jumps = builtin.filter((line) => isJump(line));
  /** The counts of one rule in each group's chain of this name, by slot. */
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
    const noteOf = (chain: string): string | undefined => noteIn(of('mangle', chain).at(-1)?.comment ?? '');
    return namedGroup(slot, by, { name: noteOf(name), key: noteOf(`via-new-${slot}`) });
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
        const [slot, device = '', address] = noteIn(comment)?.split(' ') ?? [];
        return namedRouter(groups, { slot: Number(slot), family, device, address });
      }),
    ),
    used: builtin.filter((line) => !isJump(line)).map(({ table: where, chain }) => `${family} ${where} ${chain}`),
    sent: countsOf('via-sent', (lines) => lines.find(({ rule }) => rule.includes('-o '))),
    stopped: countsOf('via-guard', (lines) => lines.at(-1)),
  };
}
