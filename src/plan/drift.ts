import { candidateOf, markOf, tableOf } from './numbers.js';
import type { Change, Thing } from './things.js';
import { pathOf, type Group } from './wayout.js';

/**
 * The names of the things that a group needs and that are missing or different. `changes` are the changes that all
 * alive groups need. A shared thing counts for every group; a removal counts for none.
 */
export function missingOf(group: Group, changes: readonly Change[]): string[] {
  const own = changes.filter(({ do: what, thing }) => what !== 'remove' && isNeededBy(thing, group));
  return own.map(({ thing }) => nameOf(thing));
}

function isNeededBy(thing: Thing, { uuid, slot, classId, firewall, wayOut }: Group): boolean {
  switch (thing.kind) {
    case 'route':
    case 'rule': {
      const [, table] = / (?:lookup|table) (\d+)/.exec(thing.words) ?? [];
      return table === undefined || Number(table) === tableOf(slot) || thing.scope !== 'group';
    }
    case 'firewall':
      if (thing.by !== firewall) return false;
      return (
        thing.scope !== 'group' ||
        namesOf(slot, classId).some((name) => ` ${thing.id} ${thing.state.split('\n')[0]} `.includes(name))
      );
    case 'record':
    case 'cgroup':
      return thing.path.includes(uuid);
    case 'sysctl':
      return pathOf(wayOut, 4)?.device === thing.device;
    case 'keeper':
    case 'builtin':
    case 'mount':
    case 'directory':
      return true;
  }
}

/** The texts that identify a group's own rules: chains and counters end with the slot, elements contain a number. */
const namesOf = (slot: number, classId: number): string[] => [
  `_${slot} `,
  `-${slot} `,
  ` ${classId} `,
  ` ${markOf(slot)} `,
  ` ${candidateOf(slot)} `,
];

/** A thing's name in messages: `ip -4 rule pref 511 ...`, `nft chain guard_11`. */
function nameOf(thing: Thing): string {
  if (thing.kind === 'route' || thing.kind === 'rule') return `ip -${thing.family} ${thing.kind} ${thing.words}`;
  if (thing.kind === 'firewall') return thing.by === 'nft' ? `nft ${thing.id}` : thing.id;
  return thing.kind === 'sysctl' ? `src_valid_mark of ${thing.device}` : thing.kind;
}
