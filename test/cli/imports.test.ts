import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';

/** What a source file imports, also on demand. */
function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*'([^']+)'/g)].map((found) => found[1]!);
}

const files = readdirSync('src/cli').filter((name) => name.endsWith('.ts'));

test('reading the command line touches no file and starts nothing', (t) => {
  t.true(files.length >= 6);
  for (const name of files) {
    for (const from of imports(`src/cli/${name}`)) t.notRegex(from, /^(node:)?(fs|child_process)\b/, name);
  }
});

test('packages: yargs in one file, which is imported on demand only', (t) => {
  const withPackage = files.filter((name) => imports(`src/cli/${name}`).some((from) => !from.startsWith('.')));
  t.deepEqual(withPackage, ['usage.ts']);
  for (const name of files) {
    t.notRegex(readFileSync(`src/cli/${name}`, 'utf8'), /\bfrom '\.\/(usage|help)\.js'/, name);
  }
});
