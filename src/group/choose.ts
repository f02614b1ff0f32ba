import { v4 as newUuid } from 'uuid';
import { classIds } from '../kernel/cgroup.js';
import { firewallWithoutNft } from '../kernel/firewall.js';
import { askNeighbours } from '../kernel/neighbours.js';
import { randomBytes } from '../kernel/random.js';
import { isOurs, tableOfLine } from '../kernel/routing.js';
import { runTools } from '../kernel/tools.js';
import { nameOf, unknownRouters } from '../plan/marking/arrivals.js';
import { chooseSlot, type Taken } from '../plan/slots.js';
import type { Firewall } from '../plan/things.js';
import { FAMILIES } from '../plan/family.js';
import { keyOf, type Group, type Path, type WayOut } from '../plan/wayout.js';
import { withLastRouters } from './follow.js';
import type { Lock } from '../state/lock.js';
import { look, lookJobs, READ_ONLY, type System } from './look.js';
import { recordText } from '../state/records.js';

/** A request for a group: the gateway and its options as text, and how they resolve. */
export interface Ask {
  /** Called before each change. Throws if the asking process has ended. */
  readonly check?: () => void;
  readonly text: string;
  /** The user id of the group's owner, if that is not root. */
  readonly owner?: number;
  /** Called before a group is made. Throws if the owner may have no more groups. */
  readonly allow?: (system: System) => void;
  readonly resolve: (system: System) => WayOut;
  /** The firewall for a new group, and those that an existing group may have. */
  readonly firewall: Firewall;
  readonly accepts: readonly Firewall[];
  /** The routers that the kernel was already made to ask for (askEarly). */
  readonly asked?: ReadonlySet<string>;
}

/** The known neighbours, with the routers whose link-layer addresses this group needs. Those of `asked` are skipped. */
export async function neighboursFor(
  group: Group,
  { groups, facts }: System,
  lock: Lock,
  asked?: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const routers = routersFor(group, groups, facts).filter((router) => asked?.has(nameOf(router)) !== true);
  return new Map([...facts.neighbours, ...(await askNeighbours(routers, lock.fd))]);
}

/**
 * Asks for the routers of a group before it is made, without the lock. Otherwise a user could hold the lock by naming
 * routers that do not answer. Returns the request, which does not ask for them again. Throws as making the group does.
 */
export async function askEarly(ask: Ask): Promise<Ask> {
  const system = look(runTools(lookJobs(ask.firewall)) ?? [], READ_ONLY);
  const { group } = groupFor(ask, system);
  const routers = routersFor(group, system.groups, system.facts);
  await askNeighbours(routers);
  return { ...ask, asked: new Set(routers.map(nameOf)) };
}

/** The routers that only the rules of this group need. */
function routersFor(group: Group, groups: readonly Group[], facts: System['facts']): Required<Path>[] {
  const others = groups.filter(({ uuid }) => uuid !== group.uuid);
  const before = unknownRouters(others, facts).map(nameOf);
  return unknownRouters([...others, group], facts).filter((router) => !before.includes(nameOf(router)));
}

/** The group of a way out: the existing one, or a new one on a free slot. Also the facts, with its record. */
export function groupFor(ask: Ask, system: System): { group: Group; facts: System['facts'] } {
  const wayOut = ask.resolve(system);
  const known = groupIn(system, wayOut, ask);
  const key = keyOf(known?.wayOut ?? wayOut);
  const { firewall, owner } = ask;
  if (known === undefined) ask.allow?.(system);
  const whose = owner === undefined ? {} : { owner };
  const group = known ?? {
    uuid: newUuid({ random: randomBytes(16) }),
    ...chooseSlot(owner === undefined ? key : `${key} u${owner}`, takenIn(system)),
    wayOut,
    firewall,
    ...whose,
  };
  const { namespace, records } = system.facts;
  const record = recordText({ asked: ask.text, namespace, key, firewall: group.firewall, ...whose });
  return { group, facts: { ...system.facts, records: new Map([[group.uuid, record], ...records]) } };
}

/** The existing group of a way out with an accepted firewall, also if one family of it is lost. */
export const groupIn = ({ groups }: System, wayOut: WayOut, { accepts, owner }: Ask): Group | undefined =>
  groups.find(
    (group) =>
      keyOf(group.wayOut) === keyOf(withLastRouters(group.wayOut, wayOut)) &&
      accepts.includes(group.firewall) &&
      group.owner === owner,
  );

/** The request with a firewall that this kernel has: iptables if there is no nf_tables and the request accepts it. */
export function withUsableFirewall(ask: Ask, { firewall: { failed } }: System): Ask {
  const other = failed === undefined || ask.firewall !== 'nft' ? undefined : firewallWithoutNft();
  return other !== undefined && ask.accepts.includes(other) ? { ...ask, firewall: other } : ask;
}

/** The numbers in use here that are not ours, and the class ids of the machine. */
function takenIn({ routing, groups, hierarchy, blind }: System): Taken {
  const all = FAMILIES.flatMap((family) => routing[family].rules);
  const rules = all.filter((rule) => blind || !isOurs(rule));
  const routes = FAMILIES.flatMap((family) => routing[family].routes).filter((route) => !isOurs(route));
  return {
    slots: new Set(groups.map(({ slot }) => slot)),
    preferences: new Set(rules.map(({ priority }) => priority)),
    tables: new Set([...rules, ...routes].map(tableOfLine)),
    marks: rules.flatMap(({ fwmark, fwmask }) =>
      fwmark === undefined ? [] : [{ value: Number(fwmark), mask: Number(fwmask ?? 0xffffffff) }],
    ),
    classIds: hierarchy.mounted && !blind ? classIds(hierarchy.path) : new Set(),
  };
}
