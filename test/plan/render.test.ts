import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { nftables } from '../../src/plan/marking/nftables/nftables.js';
import { plan } from '../../src/plan/plan.js';
import { quote, render } from '../../src/plan/render.js';
import { wanted } from '../../src/plan/wanted.js';
import { facts, groups } from '../helpers/arbitrary.js';

const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...`ab'"\\$\`!*?[]{}()<>|&;#~ \t\n-=%`) }),
);

test('a shell gives each word back as it was', (t) => {
  // No word that a shell has can have a NUL in it.
  const words = fc.sample(word, { numRuns: 500, seed: 1 }).filter((text) => !text.includes('\0'));
  const fixed = [
    '',
    ' ',
    "'",
    "''",
    '-n',
    '*',
    '~',
    '$HOME',
    '$(id)',
    '`id`',
    'a b',
    '\n',
    '\\',
    '10.0.2.1%c2',
    '#',
    'a=b',
  ];
  const all = [...fixed, ...words].map((text) => Buffer.from(text).toString());
  const script = `printf '%s\\0' ${all.map(quote).join(' ')}`;
  for (const shell of ['sh', 'bash']) {
    const { stdout } = spawnSync(shell, { input: script, encoding: 'utf8' });
    t.deepEqual(stdout.split('\0').slice(0, -1), all);
  }
});

test('plain words are left plain', (t) => {
  for (const text of ['a', '10.0.2.1', 'fe80::1%c2', '/run/via', 'a=b', '-x', '+1,2@3']) t.is(quote(text), text);
});

test('the changes of the firewall are one transaction, whatever else changes', (t) => {
  fc.assert(
    fc.property(groups, groups, facts, (before, after, known) => {
      const changes = plan(wanted(after, known, nftables), wanted(before, known, nftables));
      const lines = render(changes, nftables);
      const loads = lines.filter((line) => line.startsWith('nft '));
      t.is(loads.length, changes.some(({ thing }) => thing.kind === 'firewall') ? 1 : 0);
      t.is(lines.filter((line) => line === 'EOF').length, loads.length);
      for (const { thing } of changes)
        if (thing.kind === 'route' || thing.kind === 'rule') t.true(lines.some((line) => line.endsWith(thing.words)));
      if (changes.length === 0) t.deepEqual(lines, []);
    }),
  );
});
