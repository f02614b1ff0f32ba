import { ViaError } from '../failure.js';
import type { Request } from '../request.js';
import { apart, missing, mixed, noOptions, nothing } from './checks.js';
import { collect } from './collect.js';
import { cutOptions, type Given } from './cut.js';
import { meantWord } from './meant.js';
import { menu } from './menu.js';
import { nearest } from './nearest.js';
import { isBuilt, USAGE, WORDS, type Option, type Word } from './options.js';
import { aliases, completion } from './shells.js';

/**
 * Parses argv, without node and script. It uses no package, because every launch pays for its loading. The first word that
 * is no option is a management word, else a gateway; behind `--` or `run` it is always a gateway. Everything from the
 * command's name on is the command's. Throws ViaError with status 125 for anything else.
 */
export function parse(argv: readonly string[]): Request {
  const { given, at, ended, asks } = cutOptions(argv, 0);
  if (asks !== undefined) return { word: asks };
  const first = argv[at];
  if (first === undefined) throw noCommand();

  const word = ended ? undefined : WORDS.find(({ name }) => name === first);
  if (word === undefined) return launch(argv, at, ended, given);
  if (!isBuilt(word)) throw notBuilt(word.name);

  const rest = cutOptions(argv, at + 1, word.options);
  if (rest.asks === 'version') return { word: 'version' };
  if (rest.asks === 'help') return { word: 'help', topic: word.name };
  const all = [...given, ...rest.given];
  switch (word.name) {
    case 'run':
      if (rest.at >= argv.length) throw noCommand();
      return launch(argv, rest.at, rest.ended, all);
    case 'none':
      return { word: 'none', command: command(argv, rest.at, all, { word }), options: collect(all, 'none') };
    case 'status':
      return status(argv, rest.at, all);
    case 'attach':
    case 'detach':
      return moving(argv, rest.at, all, word);
    case 'desktop':
      return menu(argv, rest.at, all, word);
    case 'alias':
      return aliases(argv, rest.at, all, word);
    case 'completion':
      return completion(argv, rest.at, all, word);
    case 'sweep':
      nothing(argv, rest.at, 'sweep');
      return { word: 'sweep', options: collect(all, 'sweep') };
    case 'keep':
      nothing(argv, rest.at, 'keep');
      noOptions(all, 'keep');
      return { word: 'keep' };
    case 'help':
      nothing(argv, rest.at + 1, 'help');
      return rest.at < argv.length ? { word: 'help', topic: topic(argv[rest.at]!) } : { word: 'help' };
    default:
      nothing(argv, rest.at, 'version');
      return { word: 'version' };
  }
}

/** Parses the arguments of `status` from `argv[at]` on. */
function status(argv: readonly string[], at: number, given: readonly Given[]): Request {
  const [own, others] = apart(given);
  noOptions(others, 'status');
  const self = argv[at] === 'self';
  nothing(argv, self ? at + 1 : at, 'status');
  if (self) noOptions(own, 'status self');
  return { word: 'status', self, json: own.length > 0 };
}

/** Parses the arguments of attach and detach: a gateway (attach only) and process ids, with options anywhere between. */
function moving(argv: readonly string[], at: number, before: readonly Given[], word: Word): Request {
  const read = mixed(argv, at, word);
  if ('word' in read) return read;
  const { words } = read;
  const [own, others] = apart([...before, ...read.given]);
  const misplaced = others.filter(({ option }) => FOR_COMMANDS.has(option.field));
  noOptions(misplaced, word.name);
  const tree = own.length > 0;
  if (word.name === 'detach')
    return { word: 'detach', pids: pids(words, word), tree, options: collect(others, 'detach') };
  const [gateway, ...rest] = words;
  // A device with a number as its name is typed as %4711.
  if (gateway === undefined || /^\d+$/.test(gateway)) throw missing('gateway', word);
  return { word: 'attach', gateway, pids: pids(rest, word), tree, options: collect(others) };
}

const FOR_COMMANDS = new Set<Option['field']>(['exec', 'dryRun', 'user']);

/** Parses process ids, without duplicates. */
function pids(words: readonly string[], word: Word): number[] {
  if (words.length === 0) throw missing('process', word);
  const wrong = words.find((text) => !/^[1-9]\d{0,9}$/.test(text));
  if (wrong !== undefined)
    throw new ViaError('process', `"${wrong}"`, 'no process id', { hint: `usage: via ${word.usage}` });
  return [...new Set(words.map(Number))];
}

/** Parses a launch by the gateway at `argv[at]`. One `--` behind the gateway is ours, also after an earlier one. */
function launch(argv: readonly string[], at: number, ended: boolean, before: readonly Given[]): Request {
  const gateway = argv[at]!;
  if (ended) {
    const start = argv[at + 1] === '--' ? at + 2 : at + 1;
    return { word: 'launch', gateway, command: command(argv, start, before), options: collect(before) };
  }
  const after = cutOptions(argv, at + 1);
  if (after.asks !== undefined) return { word: after.asks };
  const given = [...before, ...after.given];
  return { word: 'launch', gateway, command: command(argv, after.at, given, { gateway }), options: collect(given) };
}

/** The error for a missing command. The gateway may be a mistyped word. */
interface Known {
  readonly gateway?: string;
  readonly word?: Word;
}

function command(argv: readonly string[], at: number, given: readonly Given[], known?: Known): [string, ...string[]] {
  const [name, ...args] = argv.slice(at);
  if (name === undefined) throw noCommand(given, known);
  return [name, ...args];
}

function noCommand(given: readonly Given[] = [], { gateway = '', word }: Known = {}): ViaError {
  const meant = meantWord(gateway);
  // `run` takes any following word as a gateway, also a device.
  const taken = given.filter(({ option }) => option.takes !== undefined);
  const took = taken.map(({ option, value }) => `--${option.name} took "${value}"; `).join('');
  const usage = `${took}usage: ${word === undefined ? USAGE : `via ${word.usage}`}`;
  return new ViaError('command', '', 'missing', { hint: meant === undefined ? usage : `did you mean via ${meant}?` });
}

/** The error for a reserved word that does not exist yet. */
function notBuilt(name: string): ViaError {
  const hint = `words: ${built.join(' ')}; a device of that name is %${name}`;
  return new ViaError('word', `"${name}"`, 'not in this version', { hint });
}

const built = WORDS.filter(isBuilt).map(({ name }) => name);

function topic(text: string): string {
  if (built.includes(text)) return text;
  if (WORDS.some(({ name }) => name === text)) throw notBuilt(text);
  const near = nearest(text, built);
  const hint = near === undefined ? `words: ${built.join(' ')}` : `did you mean ${near}?`;
  throw new ViaError('help', `"${text}"`, 'no such word', { hint });
}
