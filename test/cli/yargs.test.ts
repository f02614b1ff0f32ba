import test from 'ava';
import fc from 'fast-check';
import yargs from 'yargs';
import { isFlag, OPTIONS } from '../../src/cli/options.js';
import { parse } from '../../src/cli/parse.js';
import { configure } from '../../src/cli/usage.js';

/** Every way to give one of the options of the table that do not end the reading. */
const given = OPTIONS.filter(({ field }) => field !== undefined).flatMap((option) => {
  const { name, short, values = ['a', 'b=c'] } = option;
  if (isFlag(option)) return short === undefined ? [[`--${name}`]] : [[`--${name}`], [`-${short}`]];
  return values.flatMap((value) => [[`--${name}=${value}`], [`--${name}`, value]]);
});

/** What yargs reads, by the fields of LaunchOptions. */
function byYargs(argv: readonly string[]): Record<string, unknown> {
  const read = configure(yargs([])).parseSync([...argv]);
  const fields = OPTIONS.filter(({ field }) => field !== undefined).map((option) => {
    const { name, field, given: to, default: value } = option;
    if (!isFlag(option)) return [field, read[name]];
    return [field, read[name] === true ? (to ?? true) : value];
  });
  return Object.fromEntries(fields);
}

test('for any valid options, our own reading and yargs agree', (t) => {
  const bundle = [['-vv'], ['-vvv']];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...given, ...bundle), { maxLength: 8 }), (options) => {
      const argv = [...options.flat(), 'wg0', 'x'];
      const request = parse(argv);
      t.deepEqual(request.word === 'launch' && request.options, byYargs(argv) as never);
    }),
  );
});

test('for wrong ones, both refuse', (t) => {
  const quiet = (argv: string[]) =>
    configure(yargs([]))
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseSync(argv);
  for (const wrong of ['--dryrun', '--ipv4=maybe', '--ipv4', '-z', '--no-no-lan']) {
    t.throws(() => parse([wrong]), { name: 'ViaError' }, wrong);
    t.throws(() => quiet([wrong]), undefined, wrong);
  }
});
