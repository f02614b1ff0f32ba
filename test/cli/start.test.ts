import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { run } from '../helpers/exec.js';
import { root, viaBin } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';

/** A folder of the test's own. */
function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'via-start-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a clone that is not built says so in one line', async (t) => {
  const clone = folder(t);
  cpSync(`${root}/bin`, `${clone}/bin`, { recursive: true });
  for (const options of [[], ['-x']]) {
    const words = [`${clone}/bin/via`, ...options, '10.0.2.1', '--', 'echo', 'ran'];
    refused(t, await run(words), /^via: dist: not built \(npm ci builds it\)$/m, options.join());
  }
});

test('called by a link, via is found also where PATH leads nowhere', async (t) => {
  const place = folder(t);
  symlinkSync(viaBin, `${place}/via`);
  const words = [`${place}/via`, '--version'];
  refused(
    t,
    await run(words, { env: { PATH: '/nowhere' } }),
    /^via: node: not found \(install Node 20\.19 or newer\)$/m,
  );
  // Nor need it lead to anything but Node.
  symlinkSync(process.execPath, `${place}/node`);
  const { code, stdout, stderr } = await run(words, { env: { PATH: place } });
  t.deepEqual([code, stderr], [0, '']);
  t.regex(stdout, /^via \S+\n$/);
});
