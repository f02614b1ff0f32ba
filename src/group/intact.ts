import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { ignoring, listCgroups } from '../kernel/cgroup.js';
import { keeperLives } from '../kernel/keeper.js';
import { saysNoTable } from '../kernel/firewall.js';
import { sysctlsOf } from '../kernel/sysctl.js';
import type { Done, Job } from '../kernel/tools.js';
import { REVISION } from '../plan/marking/rules.js';
import { keeperFile, RUNTIME } from '../plan/files.js';
import { readPlainFile } from '../state/file.js';
import type { Records } from '../state/records.js';

/**
 * All that a look depends on, as one text: where it is the same as the last time, so is what would be found. Comparing
 * it is 6 ms quicker than looking, and bin/join does it without Node: it reads what to run from the text. Left out is
 * what changes by itself: counters, dates, and neighbours that are no next hops. Undefined where a tool failed.
 */
export function stateOf(
  done: readonly Done[],
  records: Records,
  hierarchy: string,
  namespace: string,
): string | undefined {
  if (done.some((one) => one.status !== 0 && !saysNoTable(one))) return undefined;
  const keys = [...records.groups.values()].map(({ record }) => record.key).join(' ');
  const devices = [...new Set([...keys.matchAll(/%([\w.-]+)/g)].map(([, device = '']) => device))].sort();
  const lines = [
    REVISION,
    hierarchy,
    ...done.map(({ job }) => `job ${jobText(job)}`),
    ...done.flatMap((one) =>
      one.status === 0 ? linesOf(one.output).map((line) => settled(line, keys)) : ['no table'],
    ),
    ...[...records.texts].map(([name, text]) => `${name} ${text.trimEnd()}`).sort(),
    keeperLives(keeperFile(namespace)) === true ? 'kept' : 'not kept',
    ...usedCgroups(hierarchy),
    ...sysctlsOf(devices),
  ];
  return `${lines.join('\n')}\n`;
}

/** A job on one line: its words, as a shell takes them, and the lines of its input. */
const jobText = ({ argv, input }: Job): string =>
  input === undefined ? argv.join(' ') : `${argv.join(' ')} < ${linesOf(input).join(';')}`;

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Groups with a member, and those without. */
const usedCgroups = (hierarchy: string): string[] =>
  listCgroups(hierarchy)
    .map(({ uuid, classId, members }) => `via-${uuid} ${classId} ${members.length > 0 ? 'used' : 'empty'}`)
    .sort();

/** A line of a tool without what changes by itself; of the neighbours (`ip -j neigh`) only addresses of next hops stay. */
function settled(line: string, keys: string): string {
  // iptables-save -c, of which a comment has the date.
  if (line.startsWith('#')) return line.replace(/ on .*/, '');
  if (/^[[:]/.test(line) && !line.startsWith('[{')) return line.replace(/^\[\d+:\d+\]|\[\d+:\d+\]$/, '');
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
  state !== undefined &&
  ignoring(['ENOENT', 'EISDIR', 'ELOOP'], () => readPlainFile(intactFile(uuid), Buffer.byteLength(state))) === state;

/** Keeps the state; by a member, so that the group cannot go meanwhile. Without it the next one looks again. */
export function keepIntact(uuid: string, state: string | undefined): void {
  if (state === undefined) return;
  ignoring(['EISDIR', 'ELOOP', 'ENXIO', 'EAGAIN', 'ENOSPC', 'EFBIG', 'EDQUOT', 'EROFS'], () => {
    const fd = openSync(intactFile(uuid), PLAIN, 0o600);
    try {
      writeFileSync(fd, state);
    } finally {
      closeSync(fd);
    }
  });
}

/** No link is followed, and nobody waits for a pipe's reader. */
const PLAIN = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;
