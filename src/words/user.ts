import type { Entry } from '../run/entry.js';
import { cannotBecome } from '../run/failures.js';

/** The words before a command that run it as a user; none without a user. Throws if there is no such user, or via is not root. */
export async function wordsAs(name: string, environment: Entry['environment']): Promise<readonly string[]> {
  // Loaded on demand: most launches name no user.
  return name === '' ? [] : (await import('../run/user.js')).wordsOfUser(name, environment);
}

/** Throws if the command cannot be run. Otherwise setpriv(1) would print its own message. */
export function refuseCommand([name]: readonly [string, ...string[]], entry: Entry): void {
  const failure = cannotBecome(name, entry);
  if (failure !== undefined) throw failure;
}
