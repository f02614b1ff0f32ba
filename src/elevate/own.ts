import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ViaError } from '../failure.js';
import { cgroupPath, classIdOf, GONE, ignoring } from '../kernel/cgroup.js';
import { netClsPath, netnsOf } from '../kernel/proc.js';
import type { Document } from './document.js';

/** What has to be the same for a second launch to be in the first one's group; the gateway in its one text. */
export type Wanted = Pick<Document, 'gateway' | 'ipv4' | 'ipv6' | 'lan' | 'firewall'>;

/**
 * The name of the group, within the group of the way out, that a user joins without root: it says what he asked for, and
 * in which network namespace, so that there is no file in which he could be told something else, and nothing that stays.
 */
export function ownName(uid: number, { gateway, ipv4, ipv6, lan, firewall }: Wanted, namespace: string): string {
  const text = JSON.stringify([namespace, gateway, ipv4, ipv6, lan, firewall]);
  return `u${uid}-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** The name of the group, within one, in which a user's processes go the usual way again. */
export const outName = (uid: number): string => `out-u${uid}`;

/** The group of ours that a process is in, whatever it is in there. */
export function groupAround(pid: number | 'self', hierarchy: string): string | undefined {
  const uuid = /\/via-([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?:\/[^/]*)?$/.exec(netClsPath(pid) ?? '')?.[1];
  return uuid === undefined ? undefined : cgroupPath(hierarchy, uuid);
}

/**
 * Makes such a group, as root, in a group that has a member. The user may write what moves processes into it, of which the
 * kernel lets him move his own only, and nothing else: with the directory he could make groups with class ids of his own.
 */
export function makeOwn(group: string, name: string, uid: number, classId = classIdOf(group)): string {
  const path = `${group}/${name}`;
  ignoring(['EEXIST'], () => mkdirSync(path, 0o711));
  // Whatever the umask; and nobody sees another's.
  for (const directory of [group, path]) {
    for (const { name: file } of readdirSync(directory, { withFileTypes: true }).filter((one) => one.isFile()))
      chmodSync(`${directory}/${file}`, 0o600);
    chmodSync(directory, 0o711);
  }
  if (classIdOf(path) !== classId) writeFileSync(`${path}/net_cls.classid`, String(classId), { flag: 'r+' });
  if (classIdOf(path) !== classId) throw new ViaError('cgroup', path, 'has another class id');
  for (const file of JOINS) chownSync(`${path}/${file}`, uid, 0);
  return path;
}

const JOINS = ['cgroup.procs', 'tasks'];

/**
 * The user's own group for what he wants, where there is one that is in use: a process of his is in it, here. One without
 * may be a leftover whose rules are gone.
 */
export function findOwn(hierarchy: string, wanted: Wanted, uid: number): string | undefined {
  const namespace = netnsOf('self');
  if (namespace === undefined) return undefined;
  const name = ownName(uid, wanted, namespace);
  const names = ignoring([...GONE, 'EACCES'], () => readdirSync(hierarchy)) ?? [];
  return names
    .filter((one) => one.startsWith('via-'))
    .map((one) => `${hierarchy}/${one}/${name}`)
    .find((path) => isOwn(path, uid) && ownMembers(path).some((pid) => netnsOf(pid) === namespace));
}

const UNSEEN = [...GONE, 'EACCES', 'ENOTDIR'];

/** A directory of root's with a file of the user's, as only root makes it. */
export function isOwn(path: string, uid: number): boolean {
  const directory = ignoring(UNSEEN, () => lstatSync(path));
  const file = ignoring(UNSEEN, () => lstatSync(`${path}/tasks`));
  return directory?.isDirectory() === true && directory.uid === 0 && file?.isFile() === true && file.uid === uid;
}

/** The processes in a user's own group; the user may not list what is in its directory. */
export function ownMembers(path: string): number[] {
  const text = ignoring(UNSEEN, () => readFileSync(`${path}/cgroup.procs`, 'utf8')) ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}
