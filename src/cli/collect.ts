import { ViaError } from '../failure.js';
import type { LaunchOptions } from '../request.js';
import type { Given } from './cut.js';
import { OPTIONS } from './options.js';

/** The options of a launch: the defaults, overridden by the given ones. The last one of a kind counts. */
export function collect(given: readonly Given[], word?: string): LaunchOptions {
  // `none` has no way out, so it takes no option that changes one.
  const misplaced = given.find(({ option }) => word !== undefined && option.group === 'Way out');
  if (misplaced) throw new ViaError('option', `--${misplaced.option.name}`, `goes with a gateway, not with ${word}`);

  if (word === 'sweep' && given.some(({ option }) => option.field === 'exec'))
    throw new ViaError('option', '--exec', 'goes with a command, not with sweep');
  if (word === 'sweep' && given.some(({ option }) => option.field === 'user'))
    throw new ViaError('option', '--user', 'goes with a command, not with sweep');

  const fields: Partial<Record<keyof LaunchOptions, unknown>> = {};
  for (const { field, default: value } of OPTIONS) if (field !== undefined) fields[field] = value;
  for (const { option, value } of given) if (option.field !== undefined) fields[option.field] = value;
  return fields as LaunchOptions; // one row for each field, with its values: a test checks the table
}
