import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { isBuilt, isFlag, OPTIONS, WORDS, type Option } from '../../src/cli/options.js';
import { parse } from '../../src/cli/parse.js';
import { GATEWAY_KEY } from '../../src/desktop/entry.js';
import { FALLBACK_TABLE } from '../../src/plan/numbers.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { until } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { openShell, SHELLS, type Shell, type ShellName } from '../helpers/shells.js';

/** Routers that the client knows of, beside main's; and devices of names that a shell would act on. */
const NETWORK = `
  ip route add default via 10.0.2.9 dev c2 table 77
  ip route add default via 192.0.2.1 dev c2 onlink table ${FALLBACK_TABLE}
  ip neigh add 10.0.2.1 lladdr 02:00:00:00:02:01 dev c2 nud permanent
  ip neigh add 10.0.2.66 dev c2 nud failed
  ip neigh add fe80::2:1 lladdr 02:00:00:00:02:01 router dev c2 nud permanent
  ip neigh add fe80::2:77 lladdr 02:00:00:00:02:77 dev c2 nud permanent
  ip link add eth-0.5 type bridge
  for name in 'a$(>PWN1)' 'a;>PWN2' 'a(id>PWN3)' 'a\`id>PWN4\`' '*' '-x' 'a"b' "a'b" '\${HOME}' '[a'; do
    ip link add name "$name" type bridge
    ip link set dev "$name" up
    ip neigh add fe80::dead lladdr 02:00:00:00:02:78 router dev "$name" nud permanent
  done
`;

/** A completion of its own for the program sample, which the test makes. */
const OWN: Record<ShellName, string> = {
  bash: `_sample() { COMPREPLY=($(compgen -W "one-$COMP_CWORD-$1-\${#COMP_WORDS[@]} --two=x" -- "$2")); }; complete -F _sample sample`,
  'bash alone': `_sample() { COMPREPLY=($(compgen -W "one-$COMP_CWORD-$1-\${#COMP_WORDS[@]} --two=x" -- "$2")); }; complete -F _sample sample`,
  zsh: `_sample() { compadd -- one-$((CURRENT - 1))-$words[1]-$#words --two=x }; compdef _sample sample`,
  fish: `complete -c sample -f -a '(set -l w (commandline -opc); echo one-(count $w)-$w[1]-(math (count $w) + 1))'
complete -c sample -l two -x -a x`,
};

async function open(t: ExecutionContext, name: ShellName): Promise<{ lab: Lab; shell: Shell }> {
  const lab = await makeLab(t, { servers: false });
  await lab.sh('client', NETWORK);
  const shell = await openShell(t, lab, name, { more: OWN[name] });
  mkdirSync(`${shell.home}/data/applications`, { recursive: true });
  const entry = (id: string, text = '') => writeFileSync(`${shell.home}/data/applications/${id}.desktop`, text);
  entry('org.example.App', '[Desktop Entry]\n# X-Via-Gateway=no key\n');
  entry('org.one-via-10.0.2.1', `[Desktop Entry]\nExec=x\n${GATEWAY_KEY}=10.0.2.1\n`);
  symlinkSync('org.one-via-10.0.2.1.desktop', `${shell.home}/data/applications/org.link.desktop`);
  t.true(/via 0|via from/.test(await shell.run('via --version')) && shell.node(), 'Node is seen where it is started');
  await shell.run(name === 'fish' ? 'via alias lte=10.0.2.1 | source' : 'eval "$(via alias lte=10.0.2.1)"');
  await shell.run(name === 'fish' ? "alias two='via --no-lan 10.0.2.1'" : "alias two='via --no-lan 10.0.2.1 '");
  if (name.startsWith('bash')) await shell.run('complete -F _via two');
  await shell.show();
  shell.node();
  return { lab, shell };
}

/** Nothing of the names was run. */
function none(t: ExecutionContext, shell: Shell): void {
  const made = readdirSync(shell.home).filter((file) => file.startsWith('PWN'));
  t.deepEqual(made, []);
}

/** What is typed before TAB, and the words that via gets. */
const UNIQUE: readonly (readonly [string, string])[] = [
  // Words, and their own.
  ['via stat', '<status>'],
  ['via att', '<attach>'],
  ['via -v swe', '<-v><sweep>'],
  ['via status se', '<status><self>'],
  ['via status --js', '<status><--json>'],
  ['via help comp', '<help><completion>'],
  ['via completion fi', '<completion><fish>'],
  ['via detach --tr', '<detach><--tree>'],
  ['via sweep --dr', '<sweep><--dry-run>'],
  // Options and their values.
  ['via --no', '<--no-lan>'],
  ['via --ipv6=al', '<--ipv6=allow>'],
  ['via --ipv4 ref', '<--ipv4><refuse>'],
  ['via --firewall ipt', '<--firewall><iptables>'],
  ['via --elevate=pk', '<--elevate=pkexec>'],
  ['via --user nobo', '<--user><nobody>'],
  ['via --user=nobo', '<--user=nobody>'],
  ['via 10.0.2.1 --dry', '<10.0.2.1><--dry-run>'],
  ['via 10.0.2.1 --ipv6 al', '<10.0.2.1><--ipv6><allow>'],
  ['via alias --shell fi', '<alias><--shell><fish>'],
  ['via none --exe', '<none><--exec>'],
  ['via attach --tr', '<attach><--tree>'],
  ['via attach 10.0.2.1 --tr', '<attach><10.0.2.1><--tree>'],
  // Gateways.
  ['via 10.0.1', '<10.0.1.1>'],
  ['via 10.0.2.9', '<10.0.2.9>'],
  ['via fd01', '<fd01::1>'],
  ['via fe80', '<fe80::2:1%c2>'],
  ['via eth', '<eth-0.5>'],
  ['via %eth', '<%eth-0.5>'],
  ['via 10.0.2.7%eth', '<10.0.2.7%eth-0.5>'],
  ['via fe80::7%eth', '<fe80::7%eth-0.5>'],
  ['via 10.0.2.1,fe', '<10.0.2.1,fe80::2:1%c2>'],
  ['via fe80::2:1%c2,10.0.1', '<fe80::2:1%c2,10.0.1.1>'],
  ['via -x 10.0.1', '<-x><10.0.1.1>'],
  ['via --ipv6 allow 10.0.1', '<--ipv6><allow><10.0.1.1>'],
  ['via -- 10.0.1', '<--><10.0.1.1>'],
  ['via run 10.0.1', '<run><10.0.1.1>'],
  ['via run -- 10.0.1', '<run><--><10.0.1.1>'],
  ['via attach --no-lan 10.0.1', '<attach><--no-lan><10.0.1.1>'],
  ['via alias wan=fe80', '<alias><wan=fe80::2:1%c2>'],
  ['via alias --shell fish a=tun0 wan=10.0.1', '<alias><--shell><fish><a=tun0><wan=10.0.1.1>'],
  // Nothing that is dead, no router, or in the way of a shell; and no option behind --.
  ['via 10.0.2.6', '<10.0.2.6>'],
  ['via fe80::2:7', '<fe80::2:7>'],
  ['via 192.0.2', '<192.0.2>'],
  ['via fe80::d', '<fe80::d>'],
  ['via -- --no', '<--><--no>'],
  ['via 10.0.2.1 -- --no', '<10.0.2.1><--><--no>'],
  ['via help status stat', '<help><status><stat>'],
  ['via completion bash ba', '<completion><bash><ba>'],
  ['via keep --dry', '<keep><--dry>'],
  // Menu entries, which are removed without a gateway.
  ['via desktop 10.0.1', '<desktop><10.0.1.1>'],
  ['via desktop --repl', '<desktop><--replace>'],
  ['via desktop 10.0.2.1 org.exa', '<desktop><10.0.2.1><org.example.App>'],
  ['via desktop --no-lan c2 x org.exa', '<desktop><--no-lan><c2><x><org.example.App>'],
  // Only what via has written is removed.
  ['via desktop --remove org', '<desktop><--remove><org.one-via-10.0.2.1>'],
  ['via desktop --remove 10.0.2.1 x org', '<desktop><--remove><10.0.2.1><x><org.one-via-10.0.2.1>'],
  // The command, and its own completion.
  ['via 10.0.2.1 sampl', '<10.0.2.1><sample>'],
  ['via 10.0.2.1 -- sampl', '<10.0.2.1><--><sample>'],
  ['via 10.0.2.1 sample one', '<10.0.2.1><sample><one-1-sample-2>'],
  ['via 10.0.2.1 -- sample one', '<10.0.2.1><--><sample><one-1-sample-2>'],
  ['via fe80::2:1%c2 -x --ipv4=allow sample a one', '<fe80::2:1%c2><-x><--ipv4=allow><sample><a><one-2-sample-3>'],
  ['via -- 10.0.2.1 sample one', '<--><10.0.2.1><sample><one-1-sample-2>'],
  ['via -- 10.0.2.1 -- sample one', '<--><10.0.2.1><--><sample><one-1-sample-2>'],
  ['via -v run status --user nobody sample one', '<-v><run><status><--user><nobody><sample><one-1-sample-2>'],
  ['via none sample one', '<none><sample><one-1-sample-2>'],
  ['via none -x -- sample one', '<none><-x><--><sample><one-1-sample-2>'],
  ['via 10.0.2.1 sample --tw', '<10.0.2.1><sample><--two=x>'],
  ['via 10.0.2.1 cat /etc/hostna', '<10.0.2.1><cat></etc/hostname>'],
  // The same by a name for it.
  ['lte sampl', '<10.0.2.1><sample>'],
  ['lte --dry', '<10.0.2.1><--dry-run>'],
  ['lte -x sample one', '<10.0.2.1><-x><sample><one-1-sample-2>'],
  ['lte --ipv6 al', '<10.0.2.1><--ipv6><allow>'],
  ['lte stat', '<10.0.2.1><stat>'],
  ['two sample a one', '<--no-lan><10.0.2.1><sample><a><one-2-sample-3>'],
];

/** What one may have typed, and no TAB must run. */
const HOSTILE = [
  "via '$(>PWN1)",
  "via '$(>PWN1)' ",
  'via "$(>PWN1)" -',
  'via "$(>PWN1)" -- sample ',
  'via $(>PWN1) ',
  'via `>PWN1` ',
  'via (id>PWN1) ',
  "via ']$(>PWN1)' --no",
  "via 'a[$(>PWN1)]' --no",
  "via --user '$(>PWN1)",
  "via --user='$(>PWN1)",
  "via alias 'a[$(>PWN1)]=",
  "via 10.0.1.1,'$(>PWN1)",
  "via run 'a[$(>PWN1)]' sample ",
  "lte '$(>PWN1)",
  "lte --user '$(>PWN1)' 'a[$(>PWN1)]' ",
];

for (const name of SHELLS)
  test.serial(`${name}: TAB`, async (t) => {
    const { shell } = await open(t, name);
    for (const [line, words] of UNIQUE) {
      // fish asks for the value in a step of its own.
      const isStep = name === 'fish' && line.endsWith('--tw');
      t.is(await shell.complete(line), isStep ? words.replace('=x', '') : words, line);
    }
    for (const line of HOSTILE) await shell.list(line);
    t.false(shell.node(), 'no TAB has started Node');
    none(t, shell);
    await shell.leave();
  });

/** What else a word needs. */
const AFTER: Record<string, string[]> = {
  run: ['wg0', 'x'],
  none: ['x'],
  attach: ['wg0', '5'],
  detach: ['5'],
  alias: ['a=b'],
  desktop: ['wg0', 'x'],
};

/** Where options may stand: the word, what is typed before them, and what has to follow. */
const CONTEXTS: [word: string, before: string[], after: string[]][] = [
  ['', [], ['wg0', 'x']],
  ['', ['10.0.2.1'], ['x']],
  ...WORDS.filter((word) => isBuilt(word) && !word.internal).map(({ name }): [string, string[], string[]] => [
    name,
    [name],
    AFTER[name] ?? [],
  ]),
];

/** Whether via takes an option there. */
function takes({ name, values, takes: free }: Option, before: readonly string[], after: readonly string[]): boolean {
  const value = values?.[0] ?? (free === undefined ? undefined : 'x');
  // Some stand in the place of all that would follow.
  return [after, []].some((rest) => {
    try {
      parse([...before, `--${name}${value === undefined ? '' : `=${value}`}`, ...rest]);
      return true;
    } catch {
      return false;
    }
  });
}

/** Settings of a user's that change what a shell's words mean. */
const SETTINGS: Record<ShellName, string> = {
  bash: 'set -u; set -f; shopt -s nullglob failglob; IFS=/; COMP_WORDBREAKS=${COMP_WORDBREAKS//:}',
  'bash alone': 'set -u; set -f; shopt -s nullglob failglob; IFS=/; COMP_WORDBREAKS=${COMP_WORDBREAKS//:}',
  zsh: 'setopt complete_aliases ksh_arrays sh_word_split no_nomatch; IFS=/',
  fish: 'set -g IFS /',
};

for (const name of SHELLS)
  test.serial(`${name}: TAB, where nobody has installed it, with settings that a user may have`, async (t) => {
    const lab = await makeLab(t, { servers: false });
    const shell = await openShell(t, lab, name, { more: OWN[name], bare: true });
    await shell.run(name === 'fish' ? 'via alias lte=10.0.2.1 | source' : 'eval "$(via alias lte=10.0.2.1)"');
    await shell.show();
    await shell.run(SETTINGS[name]);
    for (const [line, words] of [
      ['via stat', '<status>'],
      ['via --user=nobo', '<--user=nobody>'],
      ['via fd01', '<fd01::1>'],
      ['via fe80::9%c2,10.0.1', '<fe80::9%c2,10.0.1.1>'],
      ['via 10.0.2.1 --ipv6=al', '<10.0.2.1><--ipv6=allow>'],
      ['lte --no', '<10.0.2.1><--no-lan>'],
      ['lte --ipv6 al', '<10.0.2.1><--ipv6><allow>'],
      ['lte sampl', '<10.0.2.1><sample>'],
    ] as const)
      t.is(await shell.complete(line), words, line);
    // bash-completion itself cannot do with some of these settings.
    if (name !== 'bash') t.is(await shell.complete('lte sample a one'), '<10.0.2.1><sample><a><one-2-sample-3>');
    await shell.leave();
  });

for (const name of SHELLS)
  test.serial(`${name}: the options offered are those of the table`, async (t) => {
    const { shell } = await open(t, name);
    const wide = name === 'zsh' || name === 'fish';
    for (const [word, before, after] of CONTEXTS) {
      const usage = WORDS.find((one) => one.name === word);
      const all = [...OPTIONS.filter(({ internal }) => internal !== true), ...(usage?.options ?? [])];
      const typed = ['via', ...before, '-'].join(' ');
      const screen = await shell.list(typed);
      const offered = new Set(screen.replaceAll(typed, '').match(/(?<![\w-])--?\w[\w-]*/g));
      for (const option of all) {
        const forms = [`--${option.name}`, ...(option.short === undefined ? [] : [`-${option.short}`])];
        const isNamed =
          !usage?.usage || forms.some((form) => usage.usage!.includes(form)) || usage.usage.includes('[options]');
        const isOffered = forms.every((form) => offered.delete(form));
        if (isOffered) t.true(takes(option, before, after), `${typed}: ${option.name} is refused`);
        else t.false(isNamed && takes(option, before, after), `${typed}: ${option.name} is not offered:\n${screen}`);
        if (isOffered && wide && !/^(help|version)$/.test(option.name))
          t.true(screen.includes(option.describe), `${typed}: ${option.describe}`);
      }
      t.deepEqual([...offered], [], `${typed}: no such options\n${screen}`);
    }
    for (const option of [...OPTIONS, ...WORDS.flatMap(({ options = [] }) => options)]) {
      if (isFlag(option) || option.values === undefined) continue;
      const typed = option.name === 'shell' ? 'via alias --shell ' : `via --${option.name} `;
      const screen = (await shell.list(typed)).replaceAll(typed, '');
      for (const value of option.values) t.regex(screen, new RegExp(`(^|\\s)${value}\\b`, 'm'), `${typed}${value}`);
    }
    t.false(shell.node());
    await shell.leave();
  });

for (const name of SHELLS)
  test.serial(`${name}: words, gateways and processes are listed`, async (t) => {
    const { lab, shell } = await open(t, name);
    const words = WORDS.filter((word) => isBuilt(word) && !word.internal).map((word) => word.name);
    const first = (await shell.list('via ')).split(/[^\w.:%()$;>"'*{}[-]+/);
    for (const one of [...words, '10.0.1.1', '10.0.2.1', '10.0.2.9', 'fd01::1', 'fe80::2:1%c2', 'c1', 'c2', 'eth-0.5'])
      t.true(first.includes(one), `${one}: ${first.join(' ')}`);
    for (const one of ['keep', 'lo', '10.0.2.66', '192.0.2.1', 'fe80::2:77%c2', 'a;>PWN2', 'a$(>PWN1)', '*', '-x'])
      t.false(first.includes(one), one);
    const help = (await shell.list('via help ')).split(/\W+/);
    for (const one of words) t.true(help.includes(one), one);

    const outside = lab.own(lab.start('client', ['sleep', '1000']));
    // A process may call itself what it likes.
    const odd = `${shell.home}/a\n1$(>PWN5)\x1b;`;
    symlinkSync('/bin/sleep', odd);
    const inside = lab.start('client', [viaBin, '10.0.2.1', odd, '1001']);
    await until('it runs', () => lab.processes().some(({ argv }) => argv.join(' ') === `${odd} 1001`));
    const member = lab.processes().find(({ argv }) => argv.join(' ') === `${odd} 1001`)!.pid;
    const shows = async (line: string, pid: number, isThere: boolean) => {
      // A machine has more than a screen shows.
      const screen = await shell.list(`${line}${String(pid).slice(0, -1)}`);
      t.is(new RegExp(`(^|\\s)${pid}\\b`, 'm').test(screen), isThere, `${line}${pid}: ${screen}`);
    };
    await shows('via attach 10.0.2.1 ', outside.pid, true);
    await shows('via detach ', member, true);
    await shows('via detach ', outside.pid, false);
    t.is(await shell.complete(`via detach ${member}`), `<detach><${member}>`);
    none(t, shell);
    t.false(shell.node());
    outside.kill();
    process.kill(member);
    await inside.done;
    await shell.leave();
  });
