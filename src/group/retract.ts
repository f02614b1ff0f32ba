import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isSafeDeviceName } from '../gateway/text.js';
import { ignoring } from '../kernel/cgroup.js';
import { forgetJobs } from '../kernel/forget.js';
import { takeAway } from '../kernel/takeaway.js';
import { firewalls } from '../plan/marking/firewalls.js';
import { plan } from '../plan/plan.js';
import { render } from '../plan/render.js';
import type { Thing } from '../plan/things.js';
import { trace } from '../trace.js';
import { holdsOnly, LOCK } from './lock.js';
import type { Settled, Tell } from './settle.js';
import { isStamped } from './stamp.js';

/**
 * Takes away, without a look before, all that was made for the only group there was, of this `path`: where no other via
 * has changed anything since, nothing else of via's is there. It halves the time that the last one's leaving takes.
 * False where it is not sure, or something failed: then one has to look.
 */
export function retract(path: string, { stamp, things, groups }: Settled, tell: Tell): boolean {
  if (!things.every(isPlain) || !holdsOnly(...filesOf(things))) return false;
  const changes = plan([], things);
  const hierarchy = dirname(path);
  // It waits for nobody, should somebody have put a FIFO in its place.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const lock = ignoring(['ENOENT'], () => openSync(LOCK, flags));
  if (lock === undefined) return false;
  try {
    const beside = forgetJobs(groups);
    const isDone = takeAway(changes, firewalls, lock, {
      only: isStamped(stamp),
      name: `via-${stamp}`,
      hierarchy,
      beside,
    });
    if (isDone) tell(() => render(changes, firewalls));
    return isDone;
  } catch {
    return false;
  } finally {
    closeSync(lock);
    trace('retract');
  }
}

/** What of iptables' was there before us has to be looked at; and names of somebody else's could need quotes. */
const isPlain = (thing: Thing): boolean =>
  (thing.kind !== 'firewall' || thing.by === 'nft') &&
  (thing.kind !== 'cgroup' || /^\/[\w/.,-]+$/.test(thing.path)) &&
  (thing.kind !== 'sysctl' || isSafeDeviceName(thing.device));

/** The files of these things. What else is there, members who came later have left, or a killed via. */
const filesOf = (things: readonly Thing[]): string[] =>
  things.flatMap((thing) => {
    if (thing.kind === 'record' || thing.kind === 'mount' || thing.kind === 'keeper') return [basename(thing.path)];
    return thing.kind === 'sysctl' ? [basename(thing.record)] : [];
  });
