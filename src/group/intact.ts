import { readFileSync, writeFileSync } from 'node:fs';
import { ignoring, listCgroups } from '../kernel/cgroup.js';
import { keeperLives } from '../kernel/keeper.js';
import { sysctlsOf } from '../kernel/sysctl.js';
import type { Done } from '../kernel/tools.js';
import { REVISION } from '../plan/marking/rules.js';
import { keeperFile, RUNTIME } from '../plan/wanted.js';
import type { Records } from './records.js';

/**
 * All that a look depends on, as one text: where it is the same as the last time, so is what would be found. Comparing
 * it is 6 ms quicker than looking. Left out is what changes by itself: counters, and neighbours that are no next hops.
 * Undefined where a tool failed.
 */
export function stateOf(
  done: readonly Done[],
  records: Records,
  hierarchy: string,
  namespace: string,
): string | undefined {
  if (done.some(({ status }) => status !== 0)) return undefined;
  const keys = [...records.groups.values()].map(({ record }) => record.key).join(' ');
  const devices = [...keys.matchAll(/%([\w.-]+)/g)].map(([, device = '']) => device);
  return [
    REVISION,
    hierarchy,
    ...done.map(({ output }) =>
      output
        .split('\n')
        .map((line) => settled(line, keys))
        .join('\n'),
    ),
    ...[...records.groups].map(([uuid, { text }]) => `${uuid} ${text}`),
    keeperLives(keeperFile(namespace)),
    JSON.stringify([records.sysctls, records.builtins, records.broken]),
    ...listCgroups(hierarchy).map(({ uuid, classId, members }) => `${uuid} ${classId} ${members.length > 0}`),
    ...sysctlsOf(devices),
  ].join('\n');
}

/** A line of a tool without what changes by itself; of the neighbours (`ip -j neigh`) only addresses of next hops stay. */
function settled(line: string, keys: string): string {
  if (!line.startsWith('[{"dst":') || !line.includes('"state":[')) return withoutCounts(line);
  const known = [...line.matchAll(/"dst":"([^"]+)","dev":"([^"]+)","lladdr":"([^"]+)"/g)];
  return known
    .flatMap(([, hop, device, address]) => (keys.includes(`${hop}%${device}`) ? [hop, device, address] : []))
    .join();
}

/** Rules and counters end with what they counted. Without a pattern, which costs a third of the whole comparison. */
const withoutCounts = (line: string): string =>
  line
    .split('"packets": ')
    .map((part, i) => (i === 0 ? part : part.slice(part.indexOf('}'))))
    .join('');

/** Where the state of a group that was found in order is kept, for its next member. */
export const intactFile = (uuid: string): string => `${RUNTIME}/intact-${uuid}`;

/** Whether the group was in order when all was in this state. */
export const wasIntact = (uuid: string, state: string | undefined): boolean =>
  state !== undefined && ignoring(['ENOENT', 'EISDIR'], () => readFileSync(intactFile(uuid), 'utf8')) === state;

/** Keeps the state; by a member, so that the group cannot go meanwhile. Without it the next one looks again. */
export function keepIntact(uuid: string, state: string | undefined): void {
  if (state === undefined) return;
  ignoring(['EISDIR', 'ENOSPC', 'EFBIG', 'EDQUOT', 'EROFS'], () =>
    writeFileSync(intactFile(uuid), state, { mode: 0o600 }),
  );
}
