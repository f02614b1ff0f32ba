import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import type { Firewall } from '../plan/things.js';
import { RUNTIME } from '../plan/wanted.js';

/** What the kernel cannot tell about a group. A hint: what the kernel says wins. */
export interface GroupRecord {
  /** The gateway as the user typed it, and the options that belong to the way out. */
  readonly asked: string;
  /** The network namespace, as `net:[4026531840]`; the number may be another's by now. */
  readonly namespace: string;
  /** The key of the way out. */
  readonly key: string;
  /** What marks its packets. */
  readonly firewall: Firewall;
  /** Whose it is, where that is not root. */
  readonly owner?: number;
}

/** A device's src_valid_mark before us. */
export interface SysctlRecord {
  readonly namespace: string;
  readonly device: string;
  readonly old: string;
}

/** What of iptables' tables was not there before us. */
export interface BuiltinRecord {
  readonly namespace: string;
  readonly absent: readonly string[];
}

/** All records of the machine: by uuid, by device, and by network namespace. */
export interface Records {
  readonly groups: ReadonlyMap<string, { readonly record: GroupRecord; readonly text: string }>;
  readonly sysctls: readonly SysctlRecord[];
  readonly builtins: readonly BuiltinRecord[];
  /** What those files have in them, by their names. */
  readonly texts: ReadonlyMap<string, string>;
  /** Paths of records that were cut off: whoever wrote them was killed before he did what they are about. */
  readonly broken: readonly string[];
  /** Paths of what is kept about groups that have these uuids (intact.ts, state.ts, news.ts). */
  readonly kept: readonly { readonly uuid: string; readonly path: string }[];
  /** What keepers have made again lately, in which namespace (heal.ts). */
  readonly mends: readonly { readonly namespace: string; readonly path: string }[];
  /** Paths of keepers' FIFOs. */
  readonly keepers: readonly string[];
  /** Whether there is a directory for records. */
  readonly exists: boolean;
}

/** Reads what is under /run/via; a file that is not named as a record is not ours. */
export function readRecords(): Records {
  const groups = new Map<string, { record: GroupRecord; text: string }>();
  const sysctls: SysctlRecord[] = [];
  const builtins: BuiltinRecord[] = [];
  const texts = new Map<string, string>();
  const broken: string[] = [];
  const kept: { uuid: string; path: string }[] = [];
  const mends: { namespace: string; path: string }[] = [];
  const keepers: string[] = [];
  const names = ignoring(['ENOENT', 'ENOTDIR', 'EACCES'], () => readdirSync(RUNTIME)) ?? [];
  for (const name of names) {
    if (/^keeper-\d+$/.test(name)) keepers.push(`${RUNTIME}/${name}`);
    const [, uuid, number, device, space, of, mender] = NAMES.exec(name) ?? [];
    const path = `${RUNTIME}/${name}`;
    if (of !== undefined) kept.push({ uuid: of, path });
    if (mender !== undefined) mends.push({ namespace: `net:[${mender}]`, path });
    if (uuid === undefined && device === undefined && space === undefined) continue;
    const text = ignoring(['ENOENT', 'EISDIR', 'EACCES', 'ELOOP'], () => readAtOnce(path));
    if (text === undefined) continue;
    texts.set(name, text);
    const record = parse(text);
    const absent = space === undefined ? undefined : parseList(text);
    if (uuid !== undefined && record !== undefined) groups.set(uuid, { record, text });
    else if (device !== undefined && /^[01]\n$/.test(text))
      sysctls.push({ namespace: `net:[${number}]`, device, old: text.trim() });
    else if (absent !== undefined) builtins.push({ namespace: `net:[${space}]`, absent });
    else broken.push(path);
  }
  return { groups, sysctls, builtins, texts, broken, kept, mends, keepers, exists: existsSync(RUNTIME) };
}

/** The record of one group; undefined where there is none. */
export const readRecord = (uuid: string): GroupRecord | undefined =>
  parse(
    ignoring(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP'], () => readAtOnce(`${RUNTIME}/group-${uuid}`)) ?? '',
  );

const NAMES =
  /^(?:group-([\da-f-]{36})|sysctl-(\d+)-([\w.-]+)|iptables-(\d+)|(?:intact|state|news)-([\da-f-]{36})(?:\.\w+)?|mends-(\d+))$/;

/** A record's text; one line, so that it is readable and can be typed. */
export const recordText = ({ asked, namespace, key, firewall, owner }: GroupRecord): string =>
  `${JSON.stringify({ asked, namespace, key, firewall, owner })}\n`;

const FIREWALLS: readonly Firewall[] = ['nft', 'iptables-nft', 'iptables-legacy'];

function parse(text: string): GroupRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof GroupRecord, unknown>> | null;
    const { asked, namespace, key, firewall, owner } = value ?? {};
    if (typeof asked !== 'string' || typeof namespace !== 'string' || typeof key !== 'string') return undefined;
    if (!FIREWALLS.includes(firewall as Firewall)) return undefined;
    if (owner !== undefined && typeof owner !== 'number') return undefined;
    const record = { asked, namespace, key, firewall: firewall as Firewall };
    return owner === undefined ? record : { ...record, owner };
  } catch {
    return undefined;
  }
}

function parseList(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A file's text, of so many bytes at most. Whatever else is in its place, whoever put it there, reads as empty: nobody
 * writes to a pipe, and a device has no end.
 */
export function readAtOnce(path: string, most = 1 << 20): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const about = fstatSync(fd);
    const isOurs = about.isDirectory() || (about.isFile() && about.size <= most);
    return isOurs ? readFileSync(fd, 'utf8') : '';
  } finally {
    closeSync(fd);
  }
}
