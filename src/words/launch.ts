import { oneLine, ViaError } from '../failure.js';
import { resolve } from '../gateway/resolve.js';
import { parseGateway } from '../gateway/text.js';
import { groupFor, possible, type Ask } from '../group/choose.js';
import { enter, type Membership } from '../group/enter.js';
import { wishText } from '../group/follow.js';
import { leave } from '../group/leave.js';
import { BLIND, look, lookJobs, lookJobsOfUser, WATCHING, type System } from '../group/look.js';
import { changesFor } from '../group/settle.js';
import type { State } from '../group/state.js';
import { watchState } from '../group/watch.js';
import { chooseFirewall, filterJobs, firewallsOf } from '../kernel/firewall.js';
import { runTools, type Done } from '../kernel/tools.js';
import { blindFilterInRaw, blindFilters } from '../plan/marking/filters.js';
import { unknownRouters } from '../plan/marking/arrivals.js';
import { firewalls } from '../plan/marking/firewalls.js';
import { quote, render } from '../plan/render.js';
import type { Change, Firewall } from '../plan/things.js';
import { cgroupPath } from '../kernel/cgroup.js';
import type { Request } from '../request.js';
import type { Say } from '../say.js';
import { trace } from '../trace.js';

type Launch = Extract<Request, { word: 'launch' }>;

/**
 * Runs the command inside the group of the gateway's way out and leaves the group when it has ended. `run` starts the
 * command and gives how it ended; it is not called when anything in the set-up fails.
 */
export async function launch<T>(request: Launch, say: Say, run: () => Promise<T>): Promise<T> {
  const membership = await join(request, say);
  trace('join');
  const unwatch = request.options.quiet ? () => {} : watchState(membership.uuid, telling(request, say));
  try {
    const outcome = await run();
    trace('command');
    return outcome;
  } finally {
    unwatch();
    await leave(membership, say.changes).catch((error: unknown) => say.error(error));
    trace('leave');
  }
}

/** Says once that the gateway is not there, and once that it is back. */
const telling =
  ({ gateway }: Launch, say: Say) =>
  ({ is, why }: State): void => {
    const hint = is === 'lost' ? 'nothing leaves until it is back' : 'nothing leaves until that ends';
    say.aside(
      is === 'well'
        ? new ViaError('gateway', gateway, 'back')
        : new ViaError('gateway', gateway, `${is}: ${why}`, { hint }),
    );
  };

/** Makes this process a member of the group; with a `check` that throws where nobody waits for it any more. */
export function join(request: Launch, say: Say, check = (): void => {}): Promise<Membership> {
  const ask = askFor(request);
  requireRoot();
  say.changes(() => filterNotes(runTools(filterJobs()) ?? []));
  return enter({ ...ask, check }, say.changes);
}

/** Prints what a launch would change, as commands; nothing is changed, and only the firewall's state needs root. */
export async function dryRun(request: Launch, say: Say): Promise<void> {
  const { runApart } = await import('../kernel/execa.js');
  const root = process.geteuid?.() === 0;
  const wish = askFor(request);
  const see = async (firewall: Firewall): Promise<System> =>
    look(await runApart(root ? lookJobs(firewall) : lookJobsOfUser()), root ? WATCHING : BLIND);
  const first = await see(wish.firewall);
  const ask = possible(wish, first);
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
  // A launch starts it first, with the lock held; where nobody holds that, it would find a group without members.
  say.out(render(changes.filter(isKeeper), firewalls));
  say.out([`exec ${request.command.map(quote).join(' ')}`]);
}

/** Somebody's filters that no rule of ours can satisfy; a launch looks for them with `-v` only, for it costs a process. */
function filterNotes(done: readonly Done[]): string[] {
  const places = done.flatMap(({ job: { argv }, output }) =>
    argv[0] === 'nft' ? blindFilters(output) : blindFilterInRaw(output) ? [argv.join(' ')] : [],
  );
  return places.map((place) => `# ${oneLine(place)}: a reverse path filter there may drop what comes back to a group`);
}

function askFor({ gateway, options }: Launch): Ask {
  const text = parseGateway(gateway);
  const { ipv4, ipv6, lan } = options;
  return {
    text: wishText({ gateway, ipv4, ipv6, lan }),
    firewall: chooseFirewall(options.firewall),
    accepts: firewallsOf(options.firewall),
    resolve: ({ routing, facts }) => resolve(text, options, { routing, v6: facts.v6 }),
  };
}

function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  // All that was typed: without its options it would be another launch.
  const hint = `sudo via ${process.argv.slice(2).map(quote).join(' ')}`;
  throw new ViaError('launch', '', 'not root', { hint: hint.length > 200 ? 'use sudo' : hint });
}
