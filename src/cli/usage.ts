import yargs, { type Argv } from 'yargs';
import { isFlag, OFFERED, OPTIONS, type Option } from './options.js';

/** The text of `via --help`, laid out by yargs from the table, with at most 80 columns. */
export async function renderHelp(): Promise<string> {
  const words = OFFERED.map(({ name }) => name);
  const text = await configure(yargs([]), withValue)
    .usage('Usage: $0 [options] <gateway> [options] [--] <command> [args...]')
    .usage('       $0 <word> ...   (via help <word> tells what it does)')
    .example('$0 10.0.0.1 -- curl example.com', 'by that router; IPv6 is refused')
    .example('$0 10.0.0.1,fe80::1%eth1 ssh host', 'one of each family')
    .example('$0 tun0 firefox', 'by a device (%eth1 is always a device)')
    .epilogue(`Words: ${words.join(' ')}`)
    .epilogue('Exit status: that of the command; 127 not found, 126 cannot run, 125 via failed')
    .getHelp();
  // The text must fit into 24 lines.
  return text.replace(/\n\n(?=Examples|Words)/g, '\n');
}

/** `--user NAME`: yargs shows the name of a value only as part of the option's name. */
const withValue = ({ name, takes }: Option): string => (takes === undefined ? name : `${name} ${takes.toUpperCase()}`);

/** It exists in yargs 17.7, but not in its types. */
interface Untyped {
  usageConfiguration(settings: { 'hide-types': boolean }): Argv;
}

/** yargs, set up from the table. A test checks that it reads the options before a gateway as `parse` does. */
export function configure(target: Argv, nameOf = ({ name }: Option): string => name): Argv {
  (target as Argv & Untyped)
    .usageConfiguration({ 'hide-types': true })
    .scriptName('via')
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'halt-at-non-option': true,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .locale('en') // else it looks for its translations beside the bundle, in the user's language
    .wrap(80)
    .help(false)
    .version(false)
    .strictOptions()
    .exitProcess(false);
  for (const option of OPTIONS) target.option(nameOf(option), settings(option));
  return target;
}

function settings(option: Option) {
  const { short, values, default: value, describe, group: name } = option;
  const group = `${name}:`;
  if (option.internal === true) return { group, describe, boolean: true, hidden: true } as const;
  const alias = short === undefined ? {} : { alias: short };
  if (isFlag(option)) return { ...alias, group, describe, boolean: true } as const;
  if (values === undefined) return { group, describe, string: true, requiresArg: true, default: '' } as const;
  const described = `${describe}: ${values.map((one) => (one === value ? `${one} (default)` : one)).join(' or ')}`;
  return {
    ...alias,
    group,
    describe: described,
    string: true,
    requiresArg: true,
    choices: values,
    default: value,
  } as const;
}
