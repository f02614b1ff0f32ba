import { tagOf } from '../numbers.js';

/** One rule of a chain: its text, and what its comment says beside the text's tag. */
export interface Rule {
  readonly text: string;
  readonly note?: string;
}

/**
 * A rule's comment: how we know it again. nft prints a rule in words of its own, so its text cannot be compared; the
 * comment comes back as it was. At most 127 bytes (NFTNL_UDATA_COMMENT_MAXLEN).
 */
export const commentOf = ({ text, note }: Rule): string => (note === undefined ? tagOf(text) : `${tagOf(text)} ${note}`);

/** The note in a comment of ours; undefined where there is none. */
export const noteIn = (comment: string): string | undefined => /^[0-9a-f]{8} (.+)$/.exec(comment)?.[1];

/** A chain's state: where it hooks in, and the comments of its rules in their order. */
export const chainState = (hook: string, comments: readonly string[]): string => [hook, ...comments].join('\n');
