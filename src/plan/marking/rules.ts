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

/** Names a group with its way out, which may come to be another: then all its rules are made anew. Eight digits. */
export const ownerOf = ({ uuid, wayOut }: Group): string =>
  hash(`${uuid} ${keyOf(wayOut)}`)
    .toString(16)
    .padStart(8, '0');

/** One rule of a chain: its text, and what its comment says beside where it belongs. */
export interface Rule {
  readonly text: string;
  readonly note?: string;
}

/**
 * The comments by which we know a chain's rules again. nft prints a rule in words of its own, so that its text cannot
 * be compared; the comment comes back as it was, 127 bytes at most (NFTNL_UDATA_COMMENT_MAXLEN). `owner` names
 * the group whose chain it is, and its way out (`ownerOf`).
 */
export function commentsOf(rules: readonly Rule[], owner = ''): string[] {
  const tag = owner === '' ? REVISION : `${REVISION}-${owner}`;
  return rules.map(({ note }, i) => (note === undefined ? `${tag}.${i}` : `${tag}.${i} ${note}`));
}

/** The note in a comment of ours; undefined where there is none. */
export const noteIn = (comment: string): string | undefined => /^[\w.-]+ (.+)$/.exec(comment)?.[1];

/** A chain's state: where it hooks in, and the comments of its rules in their order. */
export const chainState = (hook: string, comments: readonly string[]): string => [hook, ...comments].join('\n');
