import { formatGateway, parseGateway } from '../gateway/text.js';
import type { Membership } from '../group/membership.js';
import { moveInto, removed } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { homeIn } from '../kernel/home.js';
import { isInGroup } from '../kernel/proc.js';
import type { LaunchOptions } from '../request.js';
import { askSetup, type Answer, type Wanted } from './asking.js';
import { findOwn, groupAround, isOwn, outName } from './own.js';

type Tell = (lines: () => readonly string[]) => void;

/** Of the launch that calls us; a part of its own, this one does not share what the launch knows. */
interface Caller {
  readonly tell: Tell;
  readonly isIgnored: (signal: NodeJS.Signals) => boolean;
  /** What to throw where nobody is to be asked, and root is needed. */
  readonly notRoot: () => Error;
}

/**
 * Makes this process, which is not root's, a member of its user's group of a way out: by itself where that is in use
 * already, else when root has made it. Throws where nobody gives root's rights, and what the set-up throws.
 */
export async function enterAsUser(gateway: string, options: LaunchOptions, caller: Caller): Promise<Membership> {
  const wanted = wantedOf(formatGateway(parseGateway(gateway)), options);
  const whole = isInGroup();
  const hierarchy = findHierarchy().path;
  const home = homeIn(hierarchy);
  const own = findOwn(hierarchy, wanted, process.getuid?.() ?? 0);
  if (own !== undefined && moveInto(own, whole)) {
    caller.tell(() => [`echo $$ > ${own}/cgroup.procs`]);
    return member(own, whole, home);
  }
  return member(await joinBySetup({ ...wanted, word: 'launch' }, options, caller), whole, home);
}

/** Takes this process, which is not root's, out of its group. Gives where it is then. */
export async function leaveAsUser(options: LaunchOptions, caller: Caller): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const out = `${groupAround('self', findHierarchy().path)}/${outName(uid)}`;
  if (isOwn(out, uid) && moveInto(out, true)) return out;
  return joinBySetup({ ...wantedOf('', options), word: 'none' }, options, caller);
}

/** What is the same in all that is asked for. */
export const wantedOf = (gateway: string, options: LaunchOptions): Omit<Wanted, 'word'> => {
  const { ipv4, ipv6, lan, firewall, verbose } = options;
  return { gateway, ipv4, ipv6, lan, firewall, verbose, pids: '', tree: false };
};

/** Has root make what we are to be in, and joins that. */
async function joinBySetup(wanted: Wanted, { elevate }: LaunchOptions, caller: Caller): Promise<string> {
  const { tell, isIgnored, notRoot } = caller;
  if (elevate === 'none') throw notRoot();
  const whole = isInGroup();
  const act = ({ path, changes }: Answer): void => {
    tell(() => [...changes, `echo $$ > ${path}/cgroup.procs`]);
    if (!moveInto(path, whole)) throw removed(path);
  };
  return (await askSetup(wanted, { elevate, act, isIgnored })).path;
}

/** The group above it is the one that has a name of its own. */
const member = (path: string, whole: boolean, home: string | undefined): Membership => ({
  uuid: /via-([\da-f-]{36})\//.exec(path)?.[1] ?? '',
  path,
  whole,
  home,
  ofUser: true,
});
