import { hash } from '../numbers.js';
import type { Firewall, Thing } from '../things.js';
import { keyOf, type Group } from '../wayout.js';

declare const __REVISION__: string | undefined;

/** Names the rules and the keeper of this build. The comments of all rules have it. */
export const REVISION = typeof __REVISION__ === 'string' ? __REVISION__ : 'source';

/** The firewalls with rules of another version of via, among things that are seen. */
export const byOtherVersion = (seen: readonly Thing[]): Set<Firewall> =>
  new Set(
    seen.flatMap((thing) => {
      if (thing.kind !== 'firewall') return [];
      const [, ...comments] = thing.state.split('\n');
      const revisions = comments.flatMap((comment) => /^(\w+)(?:-[\da-f]{8})?\.\d+( |$)/.exec(comment)?.[1] ?? []);
      return revisions.some((revision) => revision !== REVISION) ? [thing.by] : [];
    }),
  );

/** Eight digits that identify a group with its present way out. If the way out changes, all its rules are replaced. */
export const ownerOf = ({ uuid, wayOut }: Group): string =>
  hash(`${uuid} ${keyOf(wayOut)}`)
    .toString(16)
    .padStart(8, '0');

/** One rule of a chain: its text, and a note for its comment. */
export interface Rule {
  readonly text: string;
  readonly note?: string;
}

/**
 * The comments that identify a chain's rules. nft prints a rule in its own form, so its text cannot be compared; a comment
 * comes back unchanged, with at most 127 bytes (NFTNL_UDATA_COMMENT_MAXLEN). `owner` is the `ownerOf` a group's chain.
 */
export function commentsOf(rules: readonly Rule[], owner = ''): string[] {
  const tag = owner === '' ? REVISION : `${REVISION}-${owner}`;
  return rules.map(({ note }, i) => (note === undefined ? `${tag}.${i}` : `${tag}.${i} ${note}`));
}

/** The note in a comment of ours; undefined if it has none. */
export const noteIn = (comment: string): string | undefined => /^[\w.-]+ (.+)$/.exec(comment)?.[1];

/** A chain's state: its hook, and the comments of its rules in their order. */
export const chainState = (hook: string, comments: readonly string[]): string => [hook, ...comments].join('\n');
