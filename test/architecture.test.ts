import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { build } from 'esbuild';
import { root } from './helpers/paths.js';

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
      t.notRegex(readFileSync(file, 'utf8'), /\bprocess\.(?!argv\b)\w/, file);
    }
  });

/** The folders of src, each with those that it may import from. */
const ORDER: Record<string, string[]> = {
  plan: [],
  cli: [],
  kernel: ['plan'],
  state: ['plan', 'kernel'],
  gateway: ['plan', 'kernel'],
  run: ['plan', 'kernel'],
  desktop: ['cli', 'kernel'],
  group: ['plan', 'kernel', 'state', 'gateway'],
  elevate: ['plan', 'kernel', 'state', 'gateway', 'group'],
};

/** The files of src that a file imports, as `src/plan/plan.ts`. */
const ownImports = (file: string): string[] =>
  importsOf(file).flatMap((from) => (from.startsWith('.') ? join(dirname(file), from.replace(/\.js$/, '.ts')) : []));

const folderOf = (file: string): string | undefined => /^src\/(\w+)\//.exec(file)?.[1];

test('folders import from those below them only', (t) => {
  const files = filesIn('src');
  t.true(files.length > 100);
  for (const file of files) {
    const folder = folderOf(file);
    const allowed = ORDER[folder ?? ''];
    if (folder === undefined || allowed === undefined) continue;
    const others = ownImports(file).flatMap((one) => folderOf(one) ?? []);
    t.deepEqual(
      others.filter((one) => one !== folder && !allowed.includes(one)),
      [],
      file,
    );
  }
});

test('no file imports itself by others', (t) => {
  const graph = new Map(filesIn('src').map((file) => [file, ownImports(file)]));
  // A file that imports nothing that is left is taken away, until none is left, or a circle.
  for (let size = -1; size !== graph.size;) {
    size = graph.size;
    for (const [file, from] of graph) if (!from.some((one) => graph.has(one))) graph.delete(file);
  }
  t.deepEqual([...graph.keys()], []);
});

test('what is run as root for a user holds nothing that reads a command line or runs commands, and one package', async (t) => {
  const { metafile } = await build({
    entryPoints: [`${root}/src/elevate/setup.ts`],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
  });
  // Also what is imported on demand is in there.
  const files = Object.keys(metafile.inputs);
  t.true(files.includes('src/elevate/setup.ts'));
  const own = /^src\/((elevate|gateway|group|kernel|plan|state)\/|(failure|request|say|trace)\.ts$)/;
  t.deepEqual(
    files.filter((file) => !own.test(file) && !file.startsWith('node_modules/uuid/')),
    [],
  );
  // Neither the user's side of it.
  t.deepEqual(
    files.filter((file) => /\/(asking|elevate|elevators|obstacles|others|execa)\.ts$/.test(file)),
    [],
  );
  const modules = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  t.deepEqual([...new Set(modules)].sort(), [
    'node:child_process',
    'node:crypto',
    'node:fs',
    'node:path',
    'node:timers/promises',
    'node:util',
  ]);
});
