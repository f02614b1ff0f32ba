import { readdirSync, readFileSync, statSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { RUNTIME } from '../plan/wanted.js';

/** What the kernel cannot tell about a group. A hint: what the kernel says wins. */
export interface GroupRecord {
  /** The gateway as the user typed it, and the options that belong to the way out. */
  readonly asked: string;
  /** The network namespace, as `net:[4026531840]`; the number may be another's by now. */
  readonly namespace: string;
  /** The key of the way out. */
  readonly key: string;
}

/** A device's src_valid_mark before us. */
export interface SysctlRecord {
  readonly namespace: string;
  readonly device: string;
  readonly old: string;
}

/** All records of the machine: by uuid, and by device. */
export interface Records {
  readonly groups: ReadonlyMap<string, { readonly record: GroupRecord; readonly text: string }>;
  readonly sysctls: readonly SysctlRecord[];
  /** Whether there is a directory for records. */
  readonly exists: boolean;
}

/** Reads what is under /run/via; a file that is no record, or cut off, is passed over. */
export function readRecords(): Records {
  const groups = new Map<string, { record: GroupRecord; text: string }>();
  const sysctls: SysctlRecord[] = [];
  const names = ignoring(['ENOENT', 'ENOTDIR', 'EACCES'], () => readdirSync(RUNTIME));
  for (const name of names ?? []) {
    const [, kind, rest = ''] = /^(group|sysctl)-(.+)$/.exec(name) ?? [];
    if (kind === undefined) continue;
    const text = ignoring(['ENOENT', 'EISDIR', 'EACCES'], () => readFileSync(`${RUNTIME}/${name}`, 'utf8')) ?? '';
    if (kind === 'group') {
      const record = parse(text);
      if (record !== undefined) groups.set(rest, { record, text });
    } else {
      const [, number, device] = /^(\d+)-([\w.-]+)$/.exec(rest) ?? [];
      const old = text.trim();
      if (device !== undefined && /^[01]$/.test(old)) sysctls.push({ namespace: `net:[${number}]`, device, old });
    }
  }
  return { groups, sysctls, exists: names !== undefined };
}

/** A record's text; one line, so that it is readable and can be typed. */
export const recordText = ({ asked, namespace, key }: GroupRecord): string =>
  `${JSON.stringify({ asked, namespace, key })}\n`;

function parse(text: string): GroupRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof GroupRecord, unknown>> | null;
    const { asked, namespace, key } = value ?? {};
    if (typeof asked !== 'string' || typeof namespace !== 'string' || typeof key !== 'string') return undefined;
    return { asked, namespace, key };
  } catch {
    return undefined;
  }
}

/** Whether a network namespace with this number exists: a process is in it, or `ip netns` has given it a name. */
export function namespaceExists(namespace: string, netnsOf: (pid: number) => string | undefined): boolean {
  const number = Number(namespace.replace(/\D/g, ''));
  const named = ignoring(['ENOENT'], () => readdirSync('/run/netns')) ?? [];
  const isNamed = named.some((name) => ignoring(['ENOENT'], () => statSync(`/run/netns/${name}`).ino) === number);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return isNamed || pids.some((pid) => netnsOf(Number(pid)) === namespace);
}
