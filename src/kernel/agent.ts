import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { quote } from '../plan/render.js';
import type { MountThing } from '../plan/things.js';
import { ignoring, listCgroups } from './cgroup.js';
import { besideUs } from './proc.js';
import { openToOthers } from './trusted.js';

/** No such file below the root of a hierarchy; not for a container; too long for the kernel. */
const REFUSED = ['ENOENT', 'EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENODEV'];

/**
 * The program that the kernel is to run whenever a group of a hierarchy that we mount has become empty
 * (cgroup-v1/cgroups.rst, release_agent), so that a keeper need not look by itself: bin/agent. Undefined where others than root can change that.
 */
export function findAgent(): string | undefined {
  const path = ignoring(['ENOENT'], () => realpathSync(besideUs('agent')));
  return path !== undefined && openToOthers(path) === undefined ? path : undefined;
}

/** Has the kernel run it for this hierarchy; somebody else's agent stays. */
export function setAgent({ path, agent }: MountThing): void {
  if (agent === undefined) return;
  ignoring(REFUSED, () => {
    if (agentOf(path) === '') writeFileSync(agentFile(path), agent, { flag: 'r+' });
  });
}

/** Takes it back, for the hierarchy may live on without our mount; not from the groups of a via that sees another /run. */
export function clearAgent({ path, agent }: MountThing): void {
  if (agent === undefined) return;
  ignoring(REFUSED, () => {
    if (agentOf(path) === agent && listCgroups(path).length === 0) writeFileSync(agentFile(path), '\n', { flag: 'r+' });
  });
}

/** The same in words of the shell, which go on whatever comes of it. */
export const clearing = ({ path, agent }: MountThing): string[] =>
  agent === undefined
    ? []
    : [`{ read -r agent <${agentFile(path)} && [ "$agent" = ${quote(agent)} ] && echo >${agentFile(path)}; :; }`];

/** Has the kernel tell of this group, where there can be an agent: in the root of a hierarchy. */
export function tellOf(group: string): void {
  if (!existsSync(agentFile(dirname(group)))) return;
  ignoring(REFUSED, () => writeFileSync(`${group}/notify_on_release`, '1', { flag: 'r+' }));
}

const agentFile = (hierarchy: string): string => `${hierarchy}/release_agent`;

const agentOf = (hierarchy: string): string => readFileSync(agentFile(hierarchy), 'utf8').trim();
