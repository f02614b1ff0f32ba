import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';

/** The source files below a folder. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);

/** What a file imports, also on demand and as types only. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    (found) => found[1]!,
  );

/** Folders that are pure, and what nothing in them may import. */
const pure: Record<string, RegExp> = {
  'src/plan': /^(node:)?(fs|child_process|net|dgram|os|worker_threads)\b|\/(kernel|group|gateway|run|words|cli)\//,
  'src/cli': /^(node:)?(fs|child_process|net|dgram|os|worker_threads)\b|\/(kernel|group|run|words)\//,
};

for (const [folder, impure] of Object.entries(pure))
  test(`${folder} touches nothing: it reads no file and starts no process`, (t) => {
    const files = filesIn(folder);
    t.true(files.length >= 6);
    for (const file of files) {
      for (const from of importsOf(file)) t.notRegex(from, impure, file);
      t.notRegex(readFileSync(file, 'utf8'), /\bprocess\.(?!argv\b)/, file);
    }
  });
