import { ViaError } from '../failure.js';
import { leave } from '../group/leave.js';
import type { Request } from '../request.js';
import type { Outcome } from '../run/end.js';
import type { Entry } from '../run/entry.js';
import { findLauncher } from '../run/handover.js';
import type { Signals } from '../run/signals.js';
import type { Say } from '../say.js';
import { refuseCommand, wordsAs } from './user.js';
import { join } from './launch.js';
import { outside } from './none.js';

type WithCommand = Extract<Request, { word: 'launch' | 'none' }>;

/**
 * The set-up for `-x`. The shell of bin/via then joins the group and becomes the command. Throws if anything fails or the
 * shell has ended meanwhile; the changes are undone then.
 */
export async function become(request: WithCommand, say: Say, entry: Entry, signals: Signals): Promise<Outcome> {
  const launcher = findLauncher();
  if (launcher === undefined) throw new ViaError('option', '--exec', 'works with bin/via only');
  const { command } = request;
  refuseCommand(command, entry);
  const ahead = await wordsAs(request.options.user, entry.environment);
  const at = process.argv.length - 2 - command.length;
  if (request.word === 'none') {
    launcher.answer(await outside({ ...request, word: 'none' }, say, true), at, ahead);
    return { code: 0 };
  }
  const membership = await join(request, say, () => launcher.check());
  let early;
  try {
    early = await signals.pending();
    // This process stays a member until it ends, so that the group exists until the launcher has joined.
    if (early === undefined) launcher.answer(`${membership.path}/tasks`, at, ahead);
  } catch (error) {
    await leave(membership, say.changes);
    throw error;
  }
  if (early === undefined) return { code: 0 };
  await leave(membership, say.changes);
  return { signal: early };
}
