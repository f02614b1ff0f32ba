import { existsSync } from 'node:fs';
import { oneLine, ViaError } from '../failure.js';
import { heal, type Healed } from '../group/heal.js';
import { ended } from '../group/linger.js';
import { lookJobs } from '../group/look.js';
import { transaction } from '../group/transaction.js';
import { listCgroups } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { isRoot } from '../kernel/proc.js';
import { RUNTIME } from '../plan/files.js';
import { REVISION } from '../plan/marking/rules.js';
import type { Say } from '../say.js';
import { lockIfThere } from '../state/lock.js';

/**
 * The longest wait for data that the last members of a group have sent, in milliseconds, if other groups may need repair. It
 * is longer than the time after which sockets without progress are aborted.
 */
const MOST = 1100;

/**
 * The work of a keeper (bin/keeper) after a group has lost its last member and after other events: waits until the peers
 * have received everything, removes what is not needed, and repairs the rest. Prints the keeper's next instructions, one
 * word and its value on each line. Throws if that fails.
 */
export async function keep(say: Say): Promise<void> {
  if (!isRoot()) throw new ViaError('keep', '', 'not root');
  // The last member has already cleaned up. The same holds if the lock is gone.
  if (!existsSync(RUNTIME)) return;
  const { path, mounted } = findHierarchy();
  const all = mounted ? listCgroups(path) : [];
  const empty = all.filter(({ members }) => members.length === 0);
  const most = empty.length < all.length ? MOST : Infinity;
  const ends = await Promise.all(empty.map(({ classId }) => ended(classId, most)));
  const held = await lockIfThere(lookJobs());
  if (held === undefined) return;
  const { VIA_WHO: who = '', VIA_WANTS: wants = '', VIA_REVISION: revision } = process.env;
  return transaction(held, { tell: () => {} }, (change) => {
    const healed = heal(change, who, wants, revision !== REVISION);
    say.out([...linesOf(healed), ...(ends.includes(false) ? ['sending yes'] : [])]);
  });
}

function linesOf({ mended, again, wants, log, network, firewall, guard, silent }: Healed): string[] {
  return [
    ...(mended ? ['mended yes'] : []),
    ...(again === undefined ? [] : [`again ${again}`]),
    `wants ${wants}`,
    ...log.map((line) => `log ${oneLine(line)}`),
    `loud ${network.loud}`,
    `quiet ${network.quiet}`,
    `nft ${firewall.loud}`,
    `guard ${guard}`,
    ...silent.map((router) => `silent ${router}`),
  ];
}
