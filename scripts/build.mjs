// Bundles src/ into dist/: one CommonJS file for the launch, and one file for each part that is imported on demand.
import { build } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
const found = new Set();

/** `await import('./x.js')` of our own source becomes `require('./x.cjs')`: a file of its own, read only when needed. */
const onDemand = {
  name: 'on-demand',
  setup(bundle) {
    bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return;
      found.add(resolve(resolveDir, path.replace(/\.js$/, '.ts')));
      return { path: `./${basename(path, '.js')}.cjs`, external: true };
    });
  },
};

async function bundle(entry, outfile) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: { __VERSION__: JSON.stringify(version) },
    plugins: [onDemand],
  });
}

rmSync(`${root}/dist`, { recursive: true, force: true });
await bundle(`${root}/src/main.ts`, `${root}/dist/via.cjs`);
for (const part of found) await bundle(part, `${root}/dist/${basename(part, '.ts')}.cjs`);
