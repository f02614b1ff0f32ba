import test from 'ava';
import { nearest } from '../../src/cli/nearest.js';

const NAMES = ['ipv4', 'ipv6', 'no-lan', 'dry-run', 'verbose', 'help', 'version'];

// text, what it is taken for
const TABLE: ReadonlyArray<readonly [string, string | undefined]> = [
  ['dryrun', 'dry-run'],
  ['DRY-RUN', 'dry-run'],
  ['ipv5', 'ipv4'],
  ['ip6', 'ipv6'],
  ['lan', 'no-lan'],
  ['no-ipv6', 'ipv6'],
  ['verson', 'version'],
  ['hlep', undefined],
  ['hel', 'help'],
  ['v', undefined],
  ['', undefined],
  ['constructor', undefined],
  ['x'.repeat(100_000), undefined],
];

for (const [text, near] of TABLE) {
  test(`nearest to ${text.slice(0, 20)}`, (t) => t.is(nearest(text, NAMES), near));
}
