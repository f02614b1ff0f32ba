import type { OtherFamily } from '../request.js';

/** The gateway as it was typed, and the options that belong to its way out. */
export interface Asked {
  readonly gateway: string;
  readonly ipv4: OtherFamily;
  readonly ipv6: OtherFamily;
  readonly lan: boolean;
}

/** The text of it in a group's record. */
export const askedText = ({ gateway, ipv4, ipv6, lan }: Asked): string =>
  [gateway, `ipv4=${ipv4}`, `ipv6=${ipv6}`, `lan=${lan}`].join(' ');

/** Parses that text; undefined where it is malformed. */
export function parseAsked(text = ''): Asked | undefined {
  const [, gateway, ipv4, ipv6, lan] = /^(\S+) ipv4=(\w+) ipv6=(\w+) lan=(\w+)$/.exec(text) ?? [];
  if (gateway === undefined) return undefined;
  return { gateway, ipv4: treatment(ipv4), ipv6: treatment(ipv6), lan: lan !== 'false' };
}

const treatment = (word: string | undefined): OtherFamily => (word === 'allow' ? 'allow' : 'refuse');
