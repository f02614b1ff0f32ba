import test from 'ava';
import { meantWord } from '../../src/cli/meant.js';
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

// a gateway, the word that may be meant
const WORDS_TABLE: ReadonlyArray<readonly [string, string | undefined]> = [
  ['stauts', 'status'],
  ['desktp', 'desktop'],
  ['atach', 'attach'],
  ['swep', 'sweep'],
  ['verson', 'version'],
  ['wg0', undefined],
  ['tun0', undefined],
  ['tun', undefined],
  ['eth0', undefined],
  ['10.0.0.1', undefined],
  ['fe80::1%eth1', undefined],
];

for (const [text, word] of WORDS_TABLE) {
  test(`${text} for a word`, (t) => t.is(meantWord(text), word));
}
