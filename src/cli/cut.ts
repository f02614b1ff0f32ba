import { ViaError } from '../failure.js';
import { isLikeAddress } from './meant.js';
import { nearest } from './nearest.js';
import { isFlag, OPTIONS, type Option } from './options.js';

export interface Given {
  readonly option: Option;
  readonly value: string | boolean;
}

export interface Cut {
  readonly given: readonly Given[];
  /** The position of the first word that is no option, or the end. */
  readonly at: number;
  /** A `--` has ended the options. */
  readonly ended: boolean;
  /** `--help` or `--version`, where reading stopped. */
  readonly asks?: 'help' | 'version';
}

/**
 * Reads options from `argv[at]` up to the first word that is no option, or past a `--`. Later words are the command's and
 * are not looked at (yargs would rewrite 1.10 to 1.1 there). `more` are options that only the preceding word takes. Throws
 * ViaError for an unknown option, a missing value, or a value that the option does not take.
 */
export function cutOptions(argv: readonly string[], at: number, more: readonly Option[] = []): Cut {
  const table = [...OPTIONS, ...more];
  const given: Given[] = [];
  for (; at < argv.length; at++) {
    const text = argv[at]!;
    if (text === '--') return { given, at: at + 1, ended: true };
    if (!text.startsWith('-') || text === '-') break;

    const options = text.startsWith('--') ? [longOption(text, table)] : shortOptions(text);
    for (const option of options) {
      if (option.name === 'help' || option.name === 'version') return { given, at, ended: false, asks: option.name };
      if (isFlag(option)) given.push({ option, value: option.given ?? true });
      else if (text.includes('=')) given.push({ option, value: checked(option, text.slice(text.indexOf('=') + 1)) });
      else given.push({ option, value: checked(option, argv[++at]) });
    }
  }
  return { given, at, ended: false };
}

/** The option of `--name` or `--name=value`. */
function longOption(text: string, table: readonly Option[]): Option {
  const name = text.slice(2).split('=', 1)[0]!;
  const option = table.find((row) => row.name === name);
  if (option === undefined) throw unknown(`--${name}`, table);
  if (isFlag(option) && text.includes('=')) throw new ViaError('option', `--${name}`, 'takes no value');
  return option;
}

/** The options of `-v` or of a bundle such as `-vV`. No short option takes a value. */
function shortOptions(text: string): Option[] {
  return Array.from(text.slice(1), (letter) => {
    const option = OPTIONS.find((row) => row.short === letter);
    if (option === undefined) throw unknown(text);
    return option;
  });
}

function unknown(text: string, table = OPTIONS): ViaError {
  const near = nearest(
    text.replace(/^--?/, ''),
    table.map(({ name }) => name),
  );
  return new ViaError('option', `"${text}"`, 'unknown', {
    hint: near === undefined ? 'see via --help' : `did you mean --${near}?`,
  });
}

function checked(option: Option, value: string | undefined): string {
  const hint = option.values?.join(' or ') ?? `a ${option.takes}`;
  if (value === undefined || value === '') {
    throw new ViaError('option', `--${option.name}`, 'value missing', { hint });
  }
  if (option.values?.includes(value) === false) {
    throw new ViaError('option', `--${option.name}`, `"${value}" is no value of it`, { hint });
  }
  if (option.takes !== undefined && isLikeAddress(value)) {
    const write = `write --${option.name} ${option.takes.toUpperCase()} ${value}`;
    throw new ViaError('option', `--${option.name}`, `"${value}" is a gateway, and not a ${option.takes}`, {
      hint: write,
    });
  }
  return value;
}
