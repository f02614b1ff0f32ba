/** An address family, by its version of the Internet Protocol. */
export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];
