declare const __REVISION__: string | undefined;

/** Names the rule texts of this build, so that rules of another one are seen to differ. */
export const REVISION = typeof __REVISION__ === 'string' ? __REVISION__ : 'source';

/** One rule of a chain: its text, and what its comment says beside where it belongs. */
export interface Rule {
  readonly text: string;
  readonly note?: string;
}

/**
 * The comments by which we know a chain's rules again. nft prints a rule in words of its own, so that its text cannot
 * be compared; the comment comes back as it was, 127 bytes at most (NFTNL_UDATA_COMMENT_MAXLEN). `owner` is the uuid of
 * the group whose chain it is: another group's rules under the same name differ.
 */
export function commentsOf(rules: readonly Rule[], owner = ''): string[] {
  const tag = owner === '' ? REVISION : `${REVISION}-${owner.slice(0, 8)}`;
  return rules.map(({ note }, i) => (note === undefined ? `${tag}.${i}` : `${tag}.${i} ${note}`));
}

/** The note in a comment of ours; undefined where there is none. */
export const noteIn = (comment: string): string | undefined => /^[\w.-]+ (.+)$/.exec(comment)?.[1];

/** A chain's state: where it hooks in, and the comments of its rules in their order. */
export const chainState = (hook: string, comments: readonly string[]): string => [hook, ...comments].join('\n');
