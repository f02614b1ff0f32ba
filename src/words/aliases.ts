import { ViaError } from '../failure.js';
import { quote } from '../plan/render.js';
import type { Shell } from '../request.js';
import { typed } from './typed.js';

export interface Alias {
  readonly name: string;
  /** The gateway as it is typed. */
  readonly gateway: string;
}

/** Parses `lte=192.168.8.1`. Throws ViaError if the name is not safe as a command's name, or the gateway is malformed. */
export function readAlias(pair: string): Alias {
  const at = pair.indexOf('=');
  if (at < 0) throw new ViaError('alias', `"${pair}"`, 'no gateway', { hint: 'write <name>=<gateway>' });
  const name = pair.slice(0, at);
  const fail = (why: string, hint: string): ViaError => new ViaError('alias', `"${name}"`, why, { hint });
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name))
    throw fail('not a name', 'letters, digits, _ and -, a letter first');
  if (name === 'via') throw fail('would hide via itself', 'take another name');
  if (SHELLS_OWN.has(name)) throw fail("a shell's own word", 'take another name');

  return { name, gateway: typed(pair.slice(at + 1)) };
}

/**
 * The lines for a shell that define each name as via with its gateway, with completion. Names and gateways contain no
 * characters that are special to a shell. `folder` has the completion files.
 */
export function aliasLines(shell: Shell, aliases: readonly Alias[], folder: string): string[] {
  return lines[shell](aliases, folder);
}

/** With a blank at the end of an alias, the shell also expands the next word (POSIX, 2.3.1). */
const posix = (aliases: readonly Alias[]): string[] =>
  aliases.map(({ name, gateway }) => `alias ${name}=${quote(`via ${gateway} `)}`);

const names = (aliases: readonly Alias[]): string => aliases.map(({ name }) => name).join(' ');

const lines: Record<Shell, (aliases: readonly Alias[], folder: string) => string[]> = {
  sh: posix,

  // bash can be built without completion.
  bash: (aliases, folder) => [
    ...posix(aliases),
    'if type complete >/dev/null 2>&1; then',
    `  declare -F _via >/dev/null || . ${quote(`${folder}/via`)}`,
    `  complete -F _via ${names(aliases)}`,
    'fi',
  ],

  // compdef exists after compinit only.
  zsh: (aliases, folder) => [
    ...posix(aliases),
    'if (( $+functions[compdef] )); then',
    `  (( $+functions[_via] )) || autoload -Uz ${quote(`${folder}/_via`)}`,
    `  compdef _via via ${names(aliases)}`,
    'fi',
  ],

  // An alias of fish is a function, which a program cannot run. Another fish runs it, and gets its definition.
  fish: (aliases, folder) => [
    'function __via_alias',
    '  set -l made (functions -Dv -- "$argv[2]" 2>/dev/null)[5]',
    '  if functions -q -- "$argv[2]"; and begin; not command -q -- "$argv[2]"; or string match -q "alias *" -- "$made"; end',
    '    set -l text (begin; functions __via_alias; functions -- $argv[2]; end | string collect)',
    '    via $argv[1] -- (status fish-path) -c "$text"\\n(string escape -- $argv[2])\' $argv\' $argv[3..-1]',
    '  else',
    '    via $argv',
    '  end',
    'end',
    ...aliases.flatMap(({ name, gateway }) => [
      `function ${name} --description ${quoteFish(`via ${gateway}`)}`,
      `  __via_alias ${quoteFish(gateway)} $argv`,
      'end',
      `complete --command ${name} --wraps ${quoteFish(`via ${gateway}`)}`,
    ]),
    // Not `contains ...; or set`: set keeps the status 1, which prompts show.
    `if not contains -- ${quoteFish(folder)} $fish_complete_path; set -ga fish_complete_path ${quoteFish(folder)}; end`,
  ],
};

const quoteFish = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** Names that no alias may have: reserved words of shells, and commands that shells or the lines above need. */
const SHELLS_OWN = new Set(
  `if then else elif fi case esac for select while until do done in function time coproc foreach end repeat nocorrect
   typeset declare local readonly export float integer begin and or not switch set unset test echo printf read return
   break continue exit eval exec source command builtin alias unalias type complete compdef autoload contains functions
   string status shift trap cd wait true false _ _via __via_alias`.split(/\s+/),
);
