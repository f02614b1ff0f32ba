// Bundles src/ into dist/: one CommonJS file for the launch, and one file for each part that is imported on demand.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { rehearse } from './rehearse.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
const found = new Set();
const packages = new Set();

/** `await import('./x.js')` of our own source becomes `require('./x.cjs')`: a file of its own, read only when needed. */
const onDemand = {
  name: 'on-demand',
  setup(bundle) {
    bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return;
      found.add(resolve(resolveDir, path.replace(/\.js$/, '.ts')));
      return { path: `../dist/${basename(path, '.js')}.cjs`, external: true };
    });
  },
};

/** node:child_process takes 2 ms to load, and a join by `-x` does without: its functions load it when they are called. */
const lazily = {
  name: 'lazily',
  setup(bundle) {
    const filter = /^node:child_process$/;
    bundle.onResolve({ filter }, ({ importer, kind, path }) =>
      kind === 'import-statement' && !importer.includes('/node_modules/') ? { path, namespace: 'lazily' } : undefined,
    );
    bundle.onLoad({ filter, namespace: 'lazily' }, ({ path }) => ({
      contents: ['spawn', 'spawnSync']
        .map((name) => `export const ${name} = (...words) => require('${path}').${name}(...words);`)
        .join('\n'),
    }));
  },
};

/** Eight digits that change with what a group needs in the kernel, and with the keeper that looks after it. */
function revision() {
  const digest = createHash('sha256');
  for (const folder of ['src/plan', 'bin']) {
    const files = readdirSync(`${root}/${folder}`, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    for (const path of files.map((one) => `${one.parentPath}/${one.name}`).sort()) digest.update(readFileSync(path));
  }
  return digest.digest('hex').slice(0, 8);
}

async function bundle(entry, outfile, define = {}, more = {}) {
  const { metafile } = await build({
    entryPoints: [entry],
    metafile: true,
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: { __VERSION__: JSON.stringify(version), __REVISION__: JSON.stringify(revision()), ...define },
    plugins: [onDemand, lazily],
    ...more,
  });
  for (const input of Object.keys(metafile.inputs)) {
    const [path] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
    if (path !== undefined) packages.add(path);
  }
}

/** What the licences of the packages in the bundles ask for: their text goes along. */
function licences() {
  const texts = [...packages].sort().map((path) => {
    const name = readdirSync(`${root}/${path}`).find((file) => /^licen[cs]e/i.test(file));
    return `${path.replace(/^.*node_modules\//, '')}\n\n${readFileSync(`${root}/${path}/${name}`, 'utf8')}`;
  });
  return texts.join('\n\n----\n\n');
}

rmSync(`${root}/dist`, { recursive: true, force: true });

// --help is laid out by yargs once, here: at run time that would cost 14 ms.
await bundle(`${root}/src/cli/usage.ts`, `${root}/dist/usage.cjs`);
const { renderHelp } = createRequire(import.meta.url)(`${root}/dist/usage.cjs`);
const help = { __HELP__: JSON.stringify(await renderHelp()) };
rmSync(`${root}/dist/usage.cjs`);
packages.clear();

// The launch's bundle is one function, so that bin/start.cjs can run it from V8's code cache.
await bundle(`${root}/src/main.ts`, `${root}/dist/via.cjs`, help, {
  banner: { js: '(function(exports,require,module,__filename,__dirname,process){' },
  footer: { js: '})' },
  minify: true,
  charset: 'ascii',
});
// What is run as root for a user: a bundle of its own, which reads nothing else.
await bundle(`${root}/src/elevate/setup.ts`, `${root}/dist/setup.cjs`);
for (const part of found) await bundle(part, `${root}/dist/${basename(part, '.ts')}.cjs`, help);

// For bin/join, which is no JavaScript.
writeFileSync(`${root}/dist/revision`, `${revision()}\n`);
writeFileSync(`${root}/dist/LICENSES`, licences());

const source = readFileSync(`${root}/dist/via.cjs`, 'latin1');
const script = new Script(source, { filename: 'via.cjs' });
await rehearse(new Script(source, { filename: 'draft.cjs' }).runInThisContext(), script.runInThisContext());
writeFileSync(`${root}/dist/via.cache`, script.createCachedData());
