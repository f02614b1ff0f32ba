import type { Entry } from '../run/entry.js';
import { cannotBecome } from '../run/failures.js';

/**
 * The words that have a command run as a user, ahead of its own; none where no user is named. Throws where there is no
 * such user, or via is not root.
 */
export async function wordsAs(name: string, environment: Entry['environment']): Promise<readonly string[]> {
  // Most launches need nothing of it.
  return name === '' ? [] : (await import('../run/user.js')).wordsOfUser(name, environment);
}

/** Throws where running it would fail: what runs it as a user would say so in words of its own. */
export function refuseCommand([name]: readonly [string, ...string[]], entry: Entry): void {
  const failure = cannotBecome(name, entry);
  if (failure !== undefined) throw failure;
}
