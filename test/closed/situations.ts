import type { ExecutionContext } from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { outside, probe } from '../helpers/probes.js';
import type { Gateway, Place } from '../helpers/topology.js';
import { bystander, stopped, watchOthers } from './other-path.js';
import { killKeepers } from '../helpers/keepers.js';
import { bothOf, inGroup, startSender } from './senders.js';

/** Something that happens to the group of a gateway while its member sends. */
export interface Situation {
  readonly name: string;
  /** Shell, with the group's gateway as $G, its table as $T and the preference of its rule as $P. */
  readonly does: string;
  /** The same to the classic recipe, where it has another name there. */
  readonly toClassic?: string;
  readonly at?: Place;
  /** The guard has something to stop. */
  readonly guarded?: boolean;
  /** The group goes on being served. */
  readonly served?: boolean;
  /** The classic recipe lets packets out by another path. Its v6 leaves by main at any time, so v4 counts. */
  readonly classic: 'leaks' | 'holds' | 'has none';
  /** Main has no way to anywhere any more. */
  readonly cutsMain?: boolean;
}

/** Runs a situation with via: not one packet on another path before, while or after it happens. */
export async function holds(t: ExecutionContext, gateway: Gateway, situation: Situation): Promise<void> {
  const { does, at = 'client', guarded = false, served = false, cutsMain = false } = situation;
  const lab = await makeLab(t);
  const sender = await startSender(lab, (argv) => inGroup('via', gateway, argv));
  // By what a launch has made alone: what a keeper mends, and its guard, the tests of healing tell.
  await killKeepers(lab);
  const capture = await watchOthers(lab, gateway);
  await sender.served(gateway);
  const before = await stopped(lab);
  await lab.sh(at, `${await variables(lab, gateway)}\n${does}`);
  const during = sender.rounds(24);
  if (!cutsMain) t.is((await probe(outside(lab), 'udp', 4, { localPort: bystander })).gateway, 'g1');
  t.deepEqual(
    [...new Set([...(await during).values()].flatMap((who) => [...who]))].filter((who) => who !== gateway),
    [],
  );
  if (served) await sender.served(gateway);
  if (guarded) t.true((await stopped(lab)) > before, 'nothing was counted');
  t.deepEqual(await capture.stop(), []);
  await sender.end();
}

/** Runs it with the classic recipe, and compares with what the situation says of that. */
export async function compareClassic(t: ExecutionContext, gateway: Gateway, situation: Situation): Promise<void> {
  const { does, toClassic = does, at = 'client', classic } = situation;
  const lab = await makeLab(t);
  const sender = await startSender(lab, (argv) => inGroup('classic', gateway, argv));
  const calm = await watchOthers(lab, gateway, 4);
  await sender.rounds(5);
  t.deepEqual(await calm.stop(), []);
  const capture = await watchOthers(lab, gateway, 4);
  await lab.sh(at, `${await variables(lab, gateway)}\n${toClassic}`);
  await sender.rounds(12);
  const leaked = (await capture.stop()).length > 0;
  t.is(leaked, classic === 'leaks');
  await sender.end();
}

/** The group's gateway, the preference of its rule and its table, as variables of a shell. */
async function variables(lab: Lab, gateway: Gateway): Promise<string> {
  const rules = await lab.sh('client', 'ip -N rule');
  const [, preference, table] = /^(\d+):.* fwmark \S+ (?:iif lo )?lookup (\d+)/m.exec(rules) ?? [];
  if (table === undefined) throw new Error(`no rule of a group: ${rules}`);
  return `G=${bothOf(gateway)} P=${preference} T=${table}`;
}
