import { existsSync, readdirSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import type { Firewall } from '../plan/things.js';
import { groupFile, RUNTIME } from '../plan/files.js';
import { readPlainFile, UNREADABLE } from './file.js';

/** The facts about a group that the kernel does not keep. They are hints: the kernel's own state wins. */
export interface GroupRecord {
  /** The gateway as the user typed it, and the options that belong to the way out. */
  readonly asked: string;
  /** The network namespace, as `net:[4026531840]`. The kernel may have given the number to another one since. */
  readonly namespace: string;
  /** The key of the way out. */
  readonly key: string;
  /** The firewall that marks its packets. */
  readonly firewall: Firewall;
  /** The user id of its owner, if that is not root. */
  readonly owner?: number;
}

/** A device's original src_valid_mark. */
export interface SysctlRecord {
  readonly namespace: string;
  readonly device: string;
  readonly old: string;
}

/** The iptables-nft tables and chains that did not exist before us. */
export interface BuiltinRecord {
  readonly namespace: string;
  readonly absent: readonly string[];
}

/** All records of the machine: by uuid, by device, and by network namespace. */
export interface Records {
  readonly groups: ReadonlyMap<string, { readonly record: GroupRecord; readonly text: string }>;
  readonly sysctls: readonly SysctlRecord[];
  readonly builtins: readonly BuiltinRecord[];
  /** The texts of those files, by their names. */
  readonly texts: ReadonlyMap<string, string>;
  /** Paths of records that are cut off. Their writer was killed before it made the change that they are about. */
  readonly broken: readonly string[];
  /** Paths of other files about a group, with its uuid (state.ts, news.ts). */
  readonly kept: readonly { readonly uuid: string; readonly path: string }[];
  /** Paths of the files with keepers' repairs, with their namespaces (repairs.ts). */
  readonly mends: readonly { readonly namespace: string; readonly path: string }[];
  /** Paths of keepers' FIFOs. */
  readonly keepers: readonly string[];
  /** True if the runtime directory exists. */
  readonly exists: boolean;
}

/** Reads all records. Files with other names are not ours. */
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
    const text = ignoring(UNREADABLE, () => readPlainFile(path));
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

/** The record of one group; undefined where it has none. */
export const readRecord = (uuid: string): GroupRecord | undefined =>
  parse(ignoring(UNREADABLE, () => readPlainFile(groupFile(uuid))) ?? '');

const NAMES =
  /^(?:group-([\da-f-]{36})|sysctl-(\d+)-([\w.-]+)|iptables-(\d+)|(?:intact|state|news)-([\da-f-]{36})(?:\.\w+)?|mends-(\d+))$/;

/** A record's text, on one line. */
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
