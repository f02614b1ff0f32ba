import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Lab } from './lab.js';
import { root, viaBin } from './paths.js';
import { pty, type Terminal } from './pty.js';

/** bash with and without the package bash-completion, and the others. */
export const SHELLS = ['bash', 'bash alone', 'zsh', 'fish'] as const;
export type ShellName = (typeof SHELLS)[number];

/** What stays of a program's output when a terminal has acted on it. */
const plain = (text: string): string =>
  text
    .replace(/\x1b(\[[0-9;]*m|\][^\x07]*\x07|[()][A-B0])|[\r\x0f]/g, '')
    .replace(/\x1b(\[[0-9;?>=]*[A-Za-z]|[=>])/g, ' ');

/** Up to the end of what a line prints, and the next prompt: only then is the terminal the shell's, and not the kernel's. */
const ended = /[^]*?END\r?\n[^]*?\$ /;

/** An interactive shell on the lab's client, with via's completion where a package puts it. */
export class Shell {
  constructor(
    readonly name: ShellName,
    readonly terminal: Terminal,
    /** Its home and current directory. */
    readonly home: string,
  ) {}

  /** Runs a line and gives what it prints. */
  async run(line: string, timeout = 15_000): Promise<string> {
    this.terminal.type(`${line}\r`);
    this.terminal.type(`printf '%s\\n' 'EN''D'\r`);
    const [text] = await this.terminal.see(ended, timeout);
    return plain(text);
  }

  /** After `show`: types a line and TAB, and gives the words that via is called with when that is entered. */
  async complete(line: string): Promise<string> {
    this.terminal.type(`${line}\t\r`);
    const [text] = await this.terminal.see(ended, 15_000);
    return /GOT(.*)END/.exec(text)?.[1] ?? text;
  }

  /** Types a line and TAB, and gives what is on the screen then. */
  async list(line: string): Promise<string> {
    this.terminal.type(`${line}\t${this.name === 'fish' ? '\t' : ''}`);
    this.terminal.type('\x15');
    return this.run('');
  }

  async leave(): Promise<void> {
    this.terminal.type('exit\r');
    await this.terminal.program.done;
  }

  /** Whether Node was started since this was asked last. */
  node(): boolean {
    const file = join(this.home, 'node-was-called');
    const called = readFileSync(file, 'utf8') !== '';
    writeFileSync(file, '');
    return called;
  }

  /** From now on via only prints its words. */
  async show(): Promise<void> {
    const body = { start: 'via() {', words: '"$@"', end: '}' };
    const { start, words, end } = this.name === 'fish' ? { start: 'function via;', words: '$argv', end: 'end' } : body;
    await this.run(`${start} printf GO; printf T; printf '<%s>' ${words}; printf 'EN'; printf 'D\\n'; ${end}`);
  }
}

/** Starts one; `more` are lines for its start-up file. `bare`: nobody has installed via's completion. */
export async function openShell(
  t: ExecutionContext,
  lab: Lab,
  name: ShellName,
  { more = '', bare = false } = {},
): Promise<Shell> {
  const home = mkdtempSync(join(tmpdir(), 'via-shell-'));
  // The shell writes there until it has ended.
  t.teardown(async () => {
    await lab.end();
    rmSync(home, { recursive: true, force: true });
  });
  const data = join(home, 'share');
  for (const [file, place] of bare ? [] : PLACES)
    cpSync(join(root, 'share/completions', file), join(data, place, file), { recursive: true });
  program(home, 'node', `echo "$$" >>${home}/node-was-called; exec '${process.execPath}' "$@"`);
  program(home, 'sample', 'exec true');
  program(home, 'firefox', 'exec curl -sS http://203.0.113.10/');
  symlinkSync(viaBin, join(home, 'bin/via'));
  writeFileSync(join(home, 'node-was-called'), '');
  const { argv, file, lines } = START[name](home);
  mkdirSync(join(home, 'fish'));
  // Where that is not there, fish reads all manual pages in the background.
  mkdirSync(join(home, 'data/fish/generated_completions'), { recursive: true });
  writeFileSync(join(home, file), `${lines}\n${more}\n`);
  const terminal = pty(lab, argv, {
    cwd: home,
    env: {
      HOME: home,
      ZDOTDIR: home,
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: join(home, 'data'),
      XDG_DATA_DIRS: `${data}:/usr/local/share:/usr/share`,
      PATH: `${home}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      TERM: 'xterm',
    },
  });
  t.teardown(() => terminal.program.kill('SIGKILL'));
  terminal.resize(60, 240);
  const shell = new Shell(name, terminal, home);
  await shell.run('true', 30_000);
  return shell;
}

/** Where a package puts the files. */
const PLACES = [
  ['via', 'bash-completion/completions'],
  ['_via', 'zsh/site-functions'],
  ['via.fish', 'fish/vendor_completions.d'],
] as const;

function program(home: string, name: string, script: string): void {
  const path = join(home, 'bin', name);
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

interface Start {
  argv: string[];
  file: string;
  lines: string;
}

const bash = (home: string, more: string): Start => ({
  argv: ['bash', '--noprofile', '--rcfile', join(home, 'rc'), '-i'],
  file: 'rc',
  lines: `PS1='$ '
${more}
bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind 'set enable-bracketed-paste off'`,
});

const START: Record<ShellName, (home: string) => Start> = {
  bash: (home) => bash(home, '. /usr/share/bash-completion/bash_completion'),
  'bash alone': (home) => bash(home, `. ${home}/share/bash-completion/completions/via 2>/dev/null`),
  zsh: (home) => ({
    argv: ['zsh', '-d', '-i'],
    file: '.zshrc',
    lines: `PS1='$ ' LISTMAX=10000
unset zle_bracketed_paste
unsetopt prompt_sp prompt_cr list_ambiguous
fpath=(${home}/share/zsh/site-functions $fpath)
autoload -Uz compinit && compinit -u -D`,
  }),
  fish: () => ({
    argv: ['fish', '-i'],
    file: 'fish/config.fish',
    lines: `set -g fish_greeting
set -g fish_autosuggestion_enabled 0
function fish_prompt; printf '$ '; end`,
  }),
};
