import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: the compiled tests lie one folder deeper than their sources. */
export const root = upTo('package.json', dirname(fileURLToPath(import.meta.url)));
export const viaBin = join(root, 'bin/via');

/** The absolute path of a program in test/fixtures. */
export function fixture(name: string): string {
  return join(root, 'test/fixtures', name);
}

/** Debian's own Python, and nothing of the user's: it starts in a third of Node's time. */
export const python = ['/usr/bin/python3', '-I', '-S'];

function upTo(name: string, from: string): string {
  if (existsSync(join(from, name))) return from;
  const up = dirname(from);
  if (up === from) throw new Error(`no ${name} above the tests`);
  return upTo(name, up);
}
