import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeLab, type Lab } from './helpers/lab.js';
import { kept, until } from './helpers/left.js';
import { root, viaBin } from './helpers/paths.js';

const readme = readFileSync(`${root}/README.md`, 'utf8');
const manual = readFileSync(`${root}/man/via.1`, 'utf8');

/**
 * A line of a page as a person types it in the lab: with its aliases, `via` found by PATH, a directory of its own as home,
 * and Firefox in the menu.
 */
const typed = (script: string): string[] => [
  'bash',
  '-O',
  'expand_aliases',
  '-c',
  `d=$(mktemp -d); trap 'rm -r "$d"' EXIT; cd "$d"; PATH=${dirname(viaBin)}:$PATH
  export HOME=$d; unset XDG_DATA_HOME; mkdir -p .local/share/applications
  printf '[Desktop Entry]\\nType=Application\\nName=Firefox\\nExec=firefox %%u\\n' >.local/share/applications/firefox.desktop
  ${script}`,
];

async function type(lab: Lab, script: string): Promise<string> {
  const result = await lab.run('client', typed(script), { timeout: 20_000 });
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
  t.is(commands.length, 11);
  for (const [, command = ''] of commands) {
    if (command.includes('http.server')) await serves(t, lab, command);
    else t.true((await type(lab, `set -e\n${command}\necho done`)).endsWith('done\n'), command);
  }
  // What -x has made, its keeper takes away.
  await kept(lab);
});

/** A server in a page's example answers who comes by the second uplink, from far behind it. */
async function serves(t: ExecutionContext, lab: Lab, command: string): Promise<void> {
  const server = lab.start('client', typed(`exec ${command}`), { detached: true });
  const ask = ['curl', '-sS', '-m', '2', '--interface', '203.0.113.10', 'http://10.0.2.2:8080/'];
  await until('the server answers', async () => (await lab.run('g2', ask)).code === 0, 20_000);
  server.kill();
  const { signal } = await server.done;
  t.is(signal, 'SIGTERM', command);
}

test.serial("the README's alias", async (t) => {
  const lab = await makeLab(t);
  const [, script = ''] = /\n\n((?: {4}(?:eval |lte ).*\n)+)/.exec(readme) ?? [];
  const lines = (await type(lab, `set -e\n${script}`)).split('\n');
  t.is(lines.length, 3);
  for (const line of lines.slice(0, 2)) t.regex(line, /^g2 10\.0\.2\.2 /);
  await kept(lab);
});

test.serial("the README's way around a VPN", async (t) => {
  const lab = await makeLab(t, { tun: true });
  const [, command = ''] = /^ {4}(via .*) # around a VPN/m.exec(readme) ?? [];
  // As OpenVPN does (redirect-gateway def1).
  await lab.sh('client', 'ip route add 0.0.0.0/1 dev tun0; ip route add 128.0.0.0/1 dev tun0');
  t.regex(await type(lab, command.replace(/^via \S+ -- /, '')), /^g4 /);
  t.regex(await type(lab, command), /^g1 10\.0\.1\.2 /);
});

test.serial("the README's line for a systemd unit", async (t) => {
  const lab = await makeLab(t);
  const [, command = ''] = /^ {4}ExecStart=(.*)$/m.exec(readme) ?? [];
  const words = command.replace('/usr/local/bin/via', viaBin).split(' ');
  t.deepEqual(words.slice(-1), ['/usr/sbin/daemon']);
  const daemon = lab.start('client', [
    ...words.slice(0, -1),
    'sh',
    '-c',
    'echo $$; exec curl -sS http://203.0.113.10/',
  ]);
  const { code, stdout } = await daemon.done;
  t.is(code, 0);
  const [pid, answer = ''] = stdout.split('\n');
  t.is(Number(pid), daemon.pid, 'what the service manager has started is the daemon');
  t.regex(answer, /^g2 /);
  await kept(lab);
});

/** What the manual's examples call the lab's devices, routers and hosts. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/https?:\/\/example\.com\/ip/g, 'http://203.0.113.10/'],
  [/\bexample\.com\b/g, '203.0.113.10'],
  [/ssh host\.203\.0\.113\.10/g, 'curl -sS http://203.0.113.10/'],
  [/(?<!via desktop .*)firefox/g, 'curl -sS http://203.0.113.10/'],
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
    if (block.includes('http.server')) await serves(t, lab, script.trim());
    else t.true((await type(lab, `set -e\n${script}\necho done`)).endsWith('done\n'), script);
  }
});
