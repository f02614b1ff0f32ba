import type { Group } from '../../wayout.js';
import type { Arrival } from '../arrivals.js';
import { ownerOf, type Rule } from '../rules.js';
import { ANY_CLASS, candidate, OF_THE_KERNEL, ofClass, ours, SYN_ACK, VISITING, type Chain } from './text.js';

/** The chains that jump to the groups' guards: by the connection mark, and by the class. */
export function guards(groups: readonly Group[], arrivals: readonly Arrival[]): Chain[] {
  const table = 'mangle' as const;
  const each = (chain: string, text: (group: Group) => string): Rule[] =>
    groups.map((group) => ({ text: `${text(group)} -g ${chain}-${group.slot}`, note: ownerOf(group) }));
  const answer = '-m conntrack --ctdir REPLY';
  const candidates = arrivals.flatMap(({ slot }) =>
    [
      `${candidate(slot)} ${SYN_ACK} -g via-guard-${slot}`,
      `${candidate(slot)} ${answer} ${ANY_CLASS} -j via-class`,
      `${candidate(slot)} ${answer} ${OF_THE_KERNEL} -g via-guard-${slot}`,
    ].map((text) => ({ text, note: String(slot) })),
  );
  // The answer to a flow that arrived by main's own router leaves by it, whichever group answers.
  const byMains = arrivals
    .filter(({ guests }) => guests.length > 0)
    .flatMap(({ groups: own }) => own)
    .map(({ slot }) => ({ text: `! -p tcp ${answer} ${ours(slot)} -g via-guard-${slot}`, note: String(slot) }));
  return [
    { table, name: 'via-guard', rules: [...each('via-sent', ({ slot }) => ours(slot)), ...candidates] },
    {
      table,
      name: 'via-class',
      rules: [
        { text: `! -p tcp ${answer} ${VISITING} -j RETURN` },
        ...byMains,
        ...each('via-guard', ({ classId }) => ofClass(classId)),
      ],
    },
  ];
}
