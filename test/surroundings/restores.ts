import { seesAll } from '../helpers/firewall.js';
import { iptables, nft, type Foreign } from './foreign.js';

/** Before and after conntrack, and what is ours. */
export const allPriorities = [-300, -151, -149, 0, 100];
const save = 'ct mark set meta mark';
const restore = 'meta mark set ct mark';

const each = (priorities: readonly number[], hook: string, rule: string): Foreign[] =>
  priorities.map((priority) => nft(`${hook} ${priority}`, rule, seesAll()));

const inIptables = (variant: 'nft' | 'legacy', ...rules: string[]): Foreign =>
  iptables(
    variant,
    rules.map((rule) => `mangle ${rule}`),
    seesAll(),
  );

/** Connection marks that somebody saves and restores, with all their bits and with some. */
export const situations = (
  priorities: readonly number[],
  variants: readonly ('nft' | 'legacy')[],
): Record<string, Foreign[]> => ({
  'saves the mark, sending': each(priorities, 'filter output', save),
  'saves the mark, sending, and routes': each(priorities, 'route output', save),
  'restores the mark, sending': each(priorities, 'filter output', restore),
  'restores the mark, sending, and routes': each(priorities, 'route output', restore),
  'saves the mark of what comes in': each(priorities, 'filter prerouting', save),
  'restores the mark of what comes in': each(priorities, 'filter prerouting', restore),
  'adds bits and saves them': [
    ...priorities.map((priority) =>
      nft(`route output ${priority}`, `meta mark set meta mark | 0x10; ${save}`, seesAll()),
    ),
    ...priorities.map((priority) => nft(`filter output ${priority}`, 'ct mark set ct mark | 0x10', seesAll())),
  ],
  'sets the whole mark': [
    ...priorities.map((priority) =>
      nft(`filter output ${priority}`, 'meta mark set 0x1', seesAll() && priority !== -149),
    ),
    ...priorities.map((priority) => nft(`route output ${priority}`, 'meta mark set 0x1', false)),
  ],
  ...Object.fromEntries(
    variants.map((variant) => [
      `iptables-${variant}`,
      [
        inIptables(variant, 'OUTPUT -j CONNMARK --save-mark'),
        inIptables(variant, 'OUTPUT -j CONNMARK --restore-mark'),
        inIptables(
          variant,
          'OUTPUT -j CONNMARK --restore-mark --mask 0xff',
          'OUTPUT -j CONNMARK --save-mark --mask 0xff',
        ),
        inIptables(variant, 'PREROUTING -j CONNMARK --restore-mark', 'POSTROUTING -j CONNMARK --save-mark'),
        inIptables(variant, 'PREROUTING -j CONNMARK --save-mark'),
        inIptables(variant, 'OUTPUT -j MARK --set-mark 0x1'),
        inIptables(variant, 'OUTPUT -j MARK --or-mark 0x10', 'OUTPUT -j CONNMARK --save-mark'),
      ],
    ]),
  ),
});
