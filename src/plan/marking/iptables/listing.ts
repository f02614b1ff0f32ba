import type { FirewallThing } from '../../things.js';
import { parseKey, pathOf, type Family, type Group } from '../../wayout.js';
import { nameOf } from '../arrivals.js';
import { noteIn } from '../rules.js';
import { jumpThing, ourChain, type IptablesVariant } from './iptables.js';

/** Our chains and rules as they are, the groups they name, and what each of them stopped. */
export interface IptablesSeen {
  readonly things: readonly FirewallThing[];
  readonly groups: readonly Pick<Group, 'uuid' | 'slot' | 'wayOut' | 'firewall'>[];
  readonly stopped: ReadonlyMap<number, number>;
  /** `<next hop>%<device>` -> the link-layer address by which our rules know the router. */
  readonly routers: ReadonlyMap<string, string>;
  /** Built-in chains with a rule of somebody else's: `4 mangle OUTPUT`. */
  readonly used: readonly string[];
}

/** `[packets:bytes] -A chain rule` */
interface Line {
  readonly table: string;
  readonly chain: string;
  readonly packets: number;
  readonly rule: string;
  readonly comment: string;
}

const isJump = ({ comment }: Line): boolean => /^[\w-]+\.0 jump \d+$/.test(comment);

/** Reads what `iptables-save -c` printed for one family (iptables-save(8)). */
export function readSave(by: IptablesVariant, family: Family, text: string): IptablesSeen {
  const chains: { table: string; name: string }[] = [];
  const lines: Line[] = [];
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    const name = /^:(via-[\w-]+) - /.exec(line)?.[1];
    if (name !== undefined) chains.push({ table, name });
    const [, packets = '', chain = '', rule = ''] = /^\[(\d+):\d+\] -A (\S+) (.*)$/.exec(line) ?? [];
    // Without blanks in it, iptables-save prints a comment without quotes.
    const comment =
      /--comment (?:"([^"]*)"|(\S+))/
        .exec(rule)
        ?.slice(1)
        .find((one) => one !== undefined) ?? '';
    if (chain !== '') lines.push({ table, chain, packets: Number(packets), rule, comment });
  }
  const of = (where: string, name: string): Line[] =>
    lines.filter((line) => line.table === where && line.chain === name);
  const builtin = lines.filter(({ chain }) => !chain.startsWith('via-'));
  const jumps = builtin.filter((line) => isJump(line));
  const groups = chains.flatMap(({ name }) => {
    const slot = Number(/^via-guard-(\d+)$/.exec(name)?.[1]);
    const uuid = noteIn(of('mangle', name).at(-1)?.comment ?? '');
    const wayOut = parseKey(noteIn(of('mangle', `via-new-${slot}`).at(-1)?.comment ?? '') ?? '');
    return uuid === undefined || wayOut === undefined ? [] : [{ uuid, slot, wayOut, firewall: by }];
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
    stopped: new Map(
      chains.flatMap(({ name }) => {
        const slot = Number(/^via-guard-(\d+)$/.exec(name)?.[1]);
        return Number.isNaN(slot) ? [] : [[slot, of('mangle', name).at(-1)?.packets ?? 0] as const];
      }),
    ),
  };
}
