import type { LaunchOptions } from '../request.js';

/** One option. The command line, `--help`, the manual page and yargs follow this table. */
export interface Option {
  readonly name: string;
  readonly short?: string;
  /** The field of LaunchOptions that it sets; none for `--help` and `--version`, which end the parsing. */
  readonly field?: keyof LaunchOptions;
  /** The values that it takes. Without `values` and `takes` it is a flag. */
  readonly values?: readonly string[];
  /** The name of its value, if any text is allowed. */
  readonly takes?: string;
  /** The value that a flag sets: true, unless its name begins with no. */
  readonly given?: boolean;
  readonly default?: string | boolean;
  /** Not in `--help`: via writes it into menu entries. */
  readonly internal?: boolean;
  /** Options of `Way out` change where packets may go, so they need a gateway. */
  readonly group: 'Way out' | 'Other options';
  readonly describe: string;
}

const FAMILY = { values: ['refuse', 'allow'], default: 'refuse', group: 'Way out' } as const;

// prettier-ignore
export const OPTIONS: readonly Option[] = [
  { name: 'ipv4', field: 'ipv4', ...FAMILY, describe: 'IPv4, when the gateway has none' },
  { name: 'ipv6', field: 'ipv6', ...FAMILY, describe: 'IPv6, when the gateway has none' },
  { name: 'no-lan', field: 'lan', given: false, default: true, group: 'Way out', describe: 'send what is for connected networks to the gateway too' },
  { name: 'firewall', field: 'firewall', values: ['auto', 'nft', 'iptables'], default: 'auto', group: 'Other options', describe: 'what marks packets' },
  { name: 'elevate', field: 'elevate', values: ['auto', 'sudo', 'pkexec', 'none'], default: 'auto', group: 'Other options', describe: 'how to become root' },
  { name: 'user', field: 'user', takes: 'name', default: '', group: 'Other options', describe: 'run the command as this user; for root' },
  { name: 'exec', short: 'x', field: 'exec', default: false, group: 'Other options', describe: 'become the command, as nice does: for what runs long' },
  { name: 'dry-run', field: 'dryRun', default: false, group: 'Other options', describe: 'print the changes as commands, change nothing' },
  { name: 'verbose', short: 'v', field: 'verbose', default: false, group: 'Other options', describe: 'print each change as it is made' },
  { name: 'quiet', short: 'q', field: 'quiet', default: false, group: 'Other options', describe: 'no notes: on the gateway, or on work that goes elsewhere' },
  { name: 'notify', field: 'notify', default: false, group: 'Other options', internal: true, describe: 'show a failure on the desktop too' },
  { name: 'help', short: 'h', group: 'Other options', describe: 'print this text' },
  { name: 'version', short: 'V', group: 'Other options', describe: 'print the version' },
];

/** True if an option takes no value. */
export const isFlag = ({ values, takes }: Option): boolean => values === undefined && takes === undefined;

/** A management word. All words are reserved, so that no script can rely on a gateway of that name. */
export interface Word {
  readonly name: string;
  /** Its usage and help; only words that exist in this version have them. */
  readonly usage?: string;
  readonly describe?: string;
  /** The options that only this word takes, behind it. */
  readonly options?: readonly Option[];
  /** It is not for users, so no list shows it. */
  readonly internal?: boolean;
}

const JSON_OUTPUT: Option = { name: 'json', group: 'Other options', describe: 'print it as JSON' };
const REPLACE: Option = { name: 'replace', group: 'Other options', describe: "in the place of the application's own" };
const REMOVE: Option = { name: 'remove', group: 'Other options', describe: 'remove them again' };
const LIST: Option = { name: 'list', group: 'Other options', describe: 'print those there are' };
const SHELL: Option = {
  name: 'shell',
  values: ['bash', 'zsh', 'fish', 'sh'],
  group: 'Other options',
  describe: 'for this shell',
};
const TREE: Option = { name: 'tree', group: 'Other options', describe: 'with all that they have started' };

// prettier-ignore
const BUILT: readonly Word[] = [
  { name: 'run', usage: 'run [options] <gateway> [--] <command> [args...]', describe: 'Runs the command by the gateway, also one that is called like a word.' },
  { name: 'none', usage: 'none [options] [--] <command> [args...]', describe: 'Runs the command by the usual way, also from within a command that via started.\nIt takes no gateway, and no option that belongs to one.' },
  { name: 'status', usage: 'status [--json] | status self', options: [JSON_OUTPUT], describe: 'Prints the groups that are in use: gateway, devices, members, what was sent and\nwhat was stopped. With self, the gateway that the caller is in, and status 1\nwhere it is in none.' },
  { name: 'attach', usage: 'attach [options] <gateway> [--tree] <pid>...', options: [TREE], describe: 'Moves processes that run already to the gateway; with --tree, also all that they\nhave started. TCP connections that they have stay as they are.' },
  { name: 'detach', usage: 'detach [-v] [--tree] <pid>...', options: [TREE], describe: 'Moves processes out of their groups, to the usual way.' },
  { name: 'alias', usage: 'alias [--shell bash|zsh|fish|sh] <name>=<gateway>...', options: [SHELL], describe: 'Prints what makes each name stand for via and its gateway, with completion, in\nthe shell that asks: eval "$(via alias lte=192.168.8.1)", in fish | source.' },
  { name: 'completion', usage: 'completion [bash|zsh|fish]', describe: 'Prints the completion of via for the shell, or for the one that asks.' },
  { name: 'desktop', usage: 'desktop [options] <gateway> <app>... | --remove [gateway] <app>... | --list', options: [REPLACE, REMOVE, LIST], describe: "Writes menu entries of yours that start applications by the gateway. An app is\nnamed by the id or the file of its entry, or as in the menu. With --replace, the\nnew entry hides the application's own; --remove undoes that, --list prints them." },
  { name: 'sweep', usage: 'sweep [--dry-run] [-v]', describe: 'Removes what commands that have ended left behind, where the keeper could not,\nand mends what others took from those that run. Every launch does this too.' },
  { name: 'keep', usage: 'keep', internal: true, describe: 'What the keeper, the small process that waits for the end of commands, has done\nthen: as sweep, but first what they sent last arrives. By hand, take sweep.' },
  { name: 'help', usage: 'help [word]', describe: 'Prints the options, or what a word does.' },
  { name: 'version', usage: 'version', describe: 'Prints the version.' },
];

const LATER = 'up down check doctor dns list ls config self'.split(' ');

export const WORDS: readonly Word[] = [...BUILT, ...LATER.map((name) => ({ name }))];

/** True if the word exists in this version. */
export function isBuilt(word: Word): boolean {
  return word.describe !== undefined;
}

/** The words that users are offered. */
export const OFFERED: readonly Word[] = WORDS.filter((word) => isBuilt(word) && word.internal !== true);

export const USAGE = 'via [options] <gateway> [--] <command> [args...]';
