import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import test from 'ava';
import { makeLab, type Lab } from './helpers/lab.js';
import { kept } from './helpers/left.js';
import { root, viaBin } from './helpers/paths.js';

const readme = readFileSync(`${root}/README.md`, 'utf8');
const manual = readFileSync(`${root}/man/via.1`, 'utf8');

/** A line of a page as a person types it in the lab: with its aliases, and `via` found by PATH. */
async function type(lab: Lab, script: string): Promise<string> {
  const bash = [
    'bash',
    '-O',
    'expand_aliases',
    '-c',
    `d=$(mktemp -d); trap 'rm -r "$d"' EXIT; cd "$d"; PATH=${dirname(viaBin)}:$PATH\n${script}`,
  ];
  const result = await lab.run('client', bash, { timeout: 20_000 });
  if (result.code !== 0) throw new Error(`${script}: ${result.code}: ${result.stderr}`);
  return result.stdout;
}

test.serial("the README's console shows what happens", async (t) => {
  const lab = await makeLab(t);
  const block = /```console\n([^`]+)```/.exec(readme)?.[1] ?? '';
  const steps = [...block.matchAll(/^\$ (.*)\n(.*)$/gm)];
  t.is(steps.length, 2);
  for (const [, command = '', output = ''] of steps) {
    const seen = await type(lab, command);
    t.true(seen.startsWith(`${output} `), `${command}: ${seen}`);
  }
});

test.serial("the README's commands work", async (t) => {
  const lab = await makeLab(t);
  const use = readme.slice(readme.indexOf('## Use it'), readme.indexOf('## How it works'));
  const commands = [...use.matchAll(/^ {4}(via .*)$/gm), ...use.matchAll(/`(via --dry-run [^`]*)`/g)];
  t.is(commands.length, 7);
  for (const [, command = ''] of commands) t.not(await type(lab, `set -e\n${command}\necho done`), '', command);
  // What -x has made, its keeper takes away.
  await kept(lab);
});

/** What the manual's examples call the lab's devices, routers and hosts. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/https?:\/\/example\.com\/ip/g, 'http://203.0.113.10/'],
  [/\bexample\.com\b/g, '203.0.113.10'],
  [/ssh host\.203\.0\.113\.10/g, 'curl -sS http://203.0.113.10/'],
  [/firefox/g, 'curl -sS http://203.0.113.10/'],
  [/10\.0\.0\.1/g, '10.0.1.1'],
  [/192\.168\.8\.1/g, '10.0.2.1'],
  [/fe80::1%eth1/g, 'fe80::2:1%c2'],
  [/wg0/g, 'tun0'],
];

test.serial("the manual's examples work", async (t) => {
  const lab = await makeLab(t, { tun: true });
  const section = manual.slice(manual.indexOf('.Sh EXAMPLES'), manual.indexOf('.Sh SEE ALSO'));
  const blocks = [...section.matchAll(/^\.Bd [^\n]*\n([^]*?)^\.Ed/gm)].map(([, text = '']) => text);
  t.is(blocks.length, (section.match(/^\.Bd/gm) ?? []).length);
  for (const block of blocks) {
    const script = NAMES.reduce((text, [name, ours]) => text.replace(name, ours), block);
    t.not(await type(lab, `set -e\n${script}`), '', script);
  }
});
