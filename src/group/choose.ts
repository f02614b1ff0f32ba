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
import { FAMILIES, keyOf, type Group, type Path, type WayOut } from '../plan/wayout.js';
import { keeping } from './follow.js';
import type { Lock } from '../state/lock.js';
import { look, lookJobs, WATCHING, type System } from './look.js';
import { recordText } from '../state/records.js';

/** What a launch asks for: the gateway and its options as text, and how they resolve. */
export interface Ask {
  /** Throws where nobody waits for it any more; asked before each change. */
  readonly check?: () => void;
  readonly text: string;
  /** Whose group it is to be, where that is not root. */
  readonly owner?: number;
  /** Throws where there is to be no other group; asked before one is made. */
  readonly allow?: (system: System) => void;
  readonly resolve: (system: System) => WayOut;
  /** What marks a new group, and what else a group may be marked by that is there already. */
  readonly firewall: Firewall;
  readonly accepts: readonly Firewall[];
  /** The routers that were asked for already (askEarly). */
  readonly asked?: ReadonlySet<string>;
}

/** The neighbours, with the routers that this group makes us ask for; not again those that were asked for already. */
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
 * Asks for the routers of a group before it is made, without the lock: a user who names one that is not there again and
 * again would have everybody else wait. Gives what is asked for, which does not ask for them again. Throws as making the
 * group does.
 */
export async function askEarly(ask: Ask): Promise<Ask> {
  const system = look(runTools(lookJobs(ask.firewall)) ?? [], WATCHING);
  const { group } = groupFor(ask, system);
  const routers = routersFor(group, system.groups, system.facts);
  await askNeighbours(routers);
  return { ...ask, asked: new Set(routers.map(nameOf)) };
}

/** Those that the rules of this group have to know, and of which no other group needs the same: it has asked. */
function routersFor(group: Group, groups: readonly Group[], facts: System['facts']): Required<Path>[] {
  const others = groups.filter(({ uuid }) => uuid !== group.uuid);
  const before = unknownRouters(others, facts).map(nameOf);
  return unknownRouters([...others, group], facts).filter((router) => !before.includes(nameOf(router)));
}

/** The group of a way out: the one there is, or a new one on a free slot; and the facts with its record. */
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

/** The group of a way out that is there, also where a family of it is lost, and marked by what will do. */
export const groupIn = ({ groups }: System, wayOut: WayOut, { accepts, owner }: Ask): Group | undefined =>
  groups.find(
    (group) =>
      keyOf(group.wayOut) === keyOf(keeping(group.wayOut, wayOut)) &&
      accepts.includes(group.firewall) &&
      group.owner === owner,
  );

/** The same with iptables, where it would do and this kernel has no nftables. */
export function possible(ask: Ask, { firewall: { failed } }: System): Ask {
  const other = failed === undefined || ask.firewall !== 'nft' ? undefined : firewallWithoutNft();
  return other !== undefined && ask.accepts.includes(other) ? { ...ask, firewall: other } : ask;
}

/** What is in use here that is not ours, and the class ids of the machine. */
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
