import { oneLine, ViaError } from '../failure.js';
import { groupFor, withUsableFirewall, type Ask } from '../group/choose.js';
import { enter } from '../group/enter.js';
import type { Membership } from '../group/membership.js';
import { firewallJobs, firewallsIn } from '../group/firewalls.js';
import { readRecords } from '../state/records.js';
import { leave } from '../group/leave.js';
import { AS_USER, look, lookJobs, lookJobsOfUser, READ_ONLY, type System } from '../group/look.js';
import { changesFor } from '../group/changes.js';
import { familyLost, type State } from '../state/state.js';
import { watchState } from '../state/watch.js';
import { filterJobs } from '../kernel/firewall.js';
import { isRoot } from '../kernel/proc.js';
import { runTools, type Done } from '../kernel/tools.js';
import { blindFilterInRaw, blindFilters } from '../plan/marking/filters.js';
import { unknownRouters } from '../plan/marking/arrivals.js';
import { firewalls } from '../plan/marking/firewalls.js';
import { handOff, type HandOff } from '../plan/handoff.js';
import { quote, render } from '../plan/render.js';
import type { Change, Firewall } from '../plan/things.js';
import { cgroupPath } from '../kernel/cgroup.js';
import { isIgnored } from '../kernel/ignored.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';
import { trace } from '../trace.js';
import { askFor } from '../group/ask.js';
import { wordsAs } from './user.js';

type Launch = Extract<Request, { word: 'launch' }>;

/**
 * Runs the command inside the group of the gateway's way out and leaves the group afterwards. `run` starts the command and
 * gives its outcome. It is not called if anything in the set-up fails.
 */
export async function launch<T>(request: Launch, say: Say, run: () => Promise<T>): Promise<T> {
  const membership = await join(request, say);
  trace('join');
  const { uuid, ofUser = false } = membership;
  const unwatch = request.options.quiet ? () => {} : watchState(uuid, ofUser, telling(request, say));
  try {
    const outcome = await run();
    trace('command');
    return outcome;
  } finally {
    unwatch();
    const counted = isRoot() && request.options.verbose ? countsOf(membership.uuid) : undefined;
    await leave(membership, say.changes).catch((error: unknown) => say.error(error));
    if (counted !== undefined) say.changes(() => [`# ${request.gateway}: ${counted}`]);
    trace('leave');
  }
}

/** The sent and stopped packets of a group, as text; undefined if its rules were removed. */
function countsOf(uuid: string): string | undefined {
  let seen;
  try {
    seen = firewallsIn(runTools(firewallJobs([], readRecords())) ?? []);
  } catch {
    // The counters are only reported. An error here must not change the outcome of the command.
    return undefined;
  }
  const { groups, sent, stopped } = seen;
  const slot = groups.find((group) => group.uuid === uuid)?.slot;
  if (slot === undefined) return undefined;
  const { packets, bytes } = sent.get(slot) ?? { packets: 0, bytes: 0 };
  return `sent ${packets} packets, ${bytes} bytes; stopped ${stopped.get(slot)?.packets ?? 0} packets`;
}

/** Reports once that the gateway, or one family of it, is lost, and once that it is back. */
const telling =
  ({ gateway }: Launch, say: Say) =>
  (state: State): void => {
    const { is, why } = state;
    const family = familyLost(state);
    const what = family === undefined ? 'nothing' : `nothing of ${family}`;
    const hint = is === 'lost' ? `${what} leaves until it is back` : 'nothing leaves until that ends';
    say.aside(
      is === 'well'
        ? new ViaError('gateway', gateway, 'back')
        : new ViaError('gateway', gateway, `${is}: ${why}`, { hint }),
    );
  };

/** Makes this process a member of the group. `check` throws if the launcher has ended. */
export async function join(request: Launch, say: Say, check = (): void => {}): Promise<Membership> {
  const ask = askFor(request.gateway, request.options);
  const membership = isRoot() ? await asRoot(ask, say, check) : await asUser(request, say);
  const found = request.options.quiet ? undefined : handOff(request.command);
  const isRoots = isRoot() && request.options.user === '';
  const known = found?.name === 'podman' && !isRoots ? undefined : found;
  if (known !== undefined) await tellOf(known, request, membership, say);
  return membership;
}

function asRoot(ask: Ask, say: Say, check: () => void): Promise<Membership> {
  say.changes(() => filterNotes(runTools(filterJobs()) ?? []));
  return enter({ ...ask, check }, say.changes);
}

/** Prints a note. A failed note must not abort the launch. */
async function tellOf(known: HandOff, { gateway, options }: Launch, { uuid }: Membership, say: Say): Promise<void> {
  try {
    const { tellHandOff } = await import('./handoff.js');
    const notify = options.notify ? (await import('./notify.js')).notify : () => {};
    const error = (note: unknown): void => {
      say.error(note);
      notify(note, 'via');
    };
    tellHandOff(known, gateway, uuid, { ...say, error });
  } catch {
    // For example, /proc cannot be read.
  }
}

/** Prints the changes of a launch as commands, and changes nothing. Only reading the firewall needs root. */
export async function dryRun(request: Launch, say: Say): Promise<void> {
  const { runApart } = await import('../kernel/execa.js');
  const root = isRoot();
  const wish = askFor(request.gateway, request.options);
  const see = async (firewall: Firewall): Promise<System> =>
    look(await runApart(root ? lookJobs(firewall) : lookJobsOfUser()), root ? READ_ONLY : AS_USER);
  const first = await see(wish.firewall);
  const ask = withUsableFirewall(wish, first);
  const system = ask === wish ? first : await see(ask.firewall);
  const { group, facts } = groupFor(ask, system);
  const known = system.groups.some(({ uuid }) => uuid === group.uuid);
  if (!root) say.out(['# not root: the firewall, and the groups there are, could not be read']);
  const more = known ? [] : [group];
  for (const { device, nextHop } of unknownRouters([...system.groups, ...more], facts))
    say.out([
      `# a launch asks ${nextHop}%${device} for its link-layer address, by which it knows that router's clients`,
    ]);
  if (root) say.out(filterNotes(await runApart(filterJobs())));
  const changes = changesFor({ ...system, facts }, more);
  const isKeeper = ({ thing }: Change): boolean => thing.kind === 'keeper';
  say.out(
    render(
      changes.filter((change) => !isKeeper(change)),
      firewalls,
    ),
  );
  say.out([`echo $$ > ${cgroupPath(facts.hierarchy.path, group.uuid)}/cgroup.procs`]);
  // A launch starts the keeper first, with the lock held. Without the lock it would find a group without members.
  say.out(render(changes.filter(isKeeper), firewalls));
  const ahead = await wordsAs(request.options.user, process.env as Record<string, string>);
  say.out([`exec ${[...ahead, ...request.command].map(quote).join(' ')}`]);
}

/** Notes on other tools' filters that drop replies whatever our rules do. Only `-v` looks, because it costs a process. */
function filterNotes(done: readonly Done[]): string[] {
  const places = done.flatMap(({ job: { argv }, output }) =>
    argv[0] === 'nft' ? blindFilters(output) : blindFilterInRaw(output) ? [argv.join(' ')] : [],
  );
  return places.map((place) => `# ${oneLine(place)}: a reverse path filter there may drop what comes back to a group`);
}

/** Loaded on demand: root does not need it. */
async function asUser({ gateway, options }: Launch, say: Say): Promise<Membership> {
  const { enterAsUser } = await import('../elevate/elevate.js');
  return enterAsUser(gateway, options, { tell: say.changes, isIgnored, notRoot });
}

/** The error if root's rights are needed and `--elevate=none` forbids to ask for them. */
export function notRoot(what: 'launch' | 'attach' | 'detach' = 'launch'): ViaError {
  const sudo = what === 'launch' ? "; with sudo the command is root's" : ', or use sudo';
  return new ViaError(what, '', 'not root', { hint: `leave out --elevate=none${sudo}` });
}
