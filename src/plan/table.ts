import { oneLine } from '../failure.js';
import type { OtherFamily } from '../request.js';
import { aligned, cut, folded, roomIn } from './columns.js';
import type { Firewall } from './things.js';
import type { Path } from './wayout.js';

/** A group as `via status` shows it. Fields that only root can read are left out for other users. */
export interface Shown {
  readonly id: string;
  /** The gateway as it was typed, or the key of the way out where that is unknown. */
  readonly gateway?: string;
  /** The options of the way out, as they are typed. */
  readonly options?: readonly string[];
  readonly firewall?: Firewall;
  readonly ipv4?: Path | OtherFamily;
  readonly ipv6?: Path | OtherFamily;
  readonly table?: number;
  readonly mark?: string;
  readonly state?: string;
  readonly why?: string;
  readonly sent?: { readonly packets: number; readonly bytes: number };
  readonly stopped?: { readonly packets: number };
  readonly members: readonly { pid: number; user: string; command: string; since: Date }[];
}

/** Everything that `via status` shows. */
export interface All {
  readonly groups: readonly Shown[];
  /** Our default routes, where their groups are unknown. */
  readonly routes?: readonly { readonly table: number; readonly device: string; readonly gateway?: string }[];
  /** The number of groups in other network namespaces. */
  readonly elsewhere: number;
  /** False without root. */
  readonly complete: boolean;
}

interface Style {
  readonly columns: number;
  readonly colour: boolean;
}

/** The groups as lines of a table, each followed by its members. No line is wider than `columns`. */
export function statusTable({ groups, routes = [], elsewhere, complete }: All, { columns, colour }: Style): string[] {
  const rows = groups.map((group) => cells(group));
  const room = roomIn([HEAD, ...rows], columns);
  const options = groups.map((group) => optionsAmong(group, groups));
  // The options follow the gateway where they fit, else they take a line of their own.
  const names = rows.map(([name = ''], i) => [name, options[i] ?? ''].join(' ').trimEnd());
  const fits = names.map((name) => name.length <= room);
  const shown = rows.map(([name = '', ...rest], i) => [fits[i] === true ? (names[i] ?? '') : name, ...rest]);
  const table = aligned([HEAD, ...shown], columns);
  const lines = groups.flatMap((group, i) => [
    paint(cut(table[i + 1] ?? '', columns), rows[i]?.[2] ?? '', colour),
    ...(fits[i] === true || options[i] === '' ? [] : folded(options[i] ?? '', columns)),
    ...(group.why === undefined || group.why === '' ? [] : folded(group.why, columns)),
    ...people(group, columns),
  ]);
  return [
    ...(groups.length === 0 ? ['no group is in use'] : [cut(table[0] ?? '', columns), ...lines]),
    ...routes.map(({ table: number, device, gateway }) =>
      cut(`table ${number}: ${gateway === undefined ? '' : `${gateway} `}dev ${oneLine(device)}`, columns),
    ),
    ...(elsewhere === 0 ? [] : [`${elsewhere} more in other network namespaces`]),
    ...(complete ? [] : ['not root: only members, devices, routes and gateways of users are seen']),
  ];
}

const HEAD = ['GATEWAY', 'DEVICE', 'STATE', 'SENT', 'BYTES', 'STOPPED', 'TABLE', 'MARK'];

function cells({ id, gateway, ipv4, ipv6, state, sent, stopped, table, mark }: Shown): string[] {
  const devices = [ipv4, ipv6].flatMap((way) => (way === undefined || typeof way === 'string' ? [] : [way.device]));
  return [
    oneLine(gateway ?? id),
    [...new Set(devices)].join(',') || '-',
    STATES[state ?? ''] ?? '-',
    sent === undefined ? '-' : String(sent.packets),
    sent === undefined ? '-' : amount(sent.bytes),
    stopped === undefined ? '-' : String(stopped.packets),
    table === undefined ? '-' : String(table),
    mark?.split('/')[0] ?? '-',
  ];
}

const STATES: Readonly<Record<string, string>> = {
  ok: 'ok',
  lost: 'gateway down',
  closed: 'closed',
  drifted: 'drifted',
};

/** The options of a group. The firewall is named only if another group has the same gateway and options. */
function optionsAmong({ gateway, options = [], firewall = 'nft' }: Shown, all: readonly Shown[]): string {
  const text = options.join(' ');
  const isAlike = (other: Shown): boolean => other.gateway === gateway && (other.options ?? []).join(' ') === text;
  const isOnly = all.filter(isAlike).every((other) => (other.firewall ?? 'nft') === firewall);
  return [...options, ...(isOnly ? [] : [`--firewall=${firewall === 'nft' ? 'nft' : 'iptables'}`])].join(' ');
}

function people({ members }: Shown, columns: number): string[] {
  const pid = Math.max(0, ...members.map((one) => String(one.pid).length));
  const user = Math.max(0, ...members.map((one) => one.user.length));
  return members.map((one) =>
    cut(
      `  ${String(one.pid).padStart(pid)}  ${one.user.padEnd(Math.min(user, 16))}  ${time(one.since)}  ${oneLine(one.command)}`,
      columns,
    ),
  );
}

/** The time if it is today, else the day, as ps(1) shows it. */
function time(date: Date): string {
  const isToday = date.toDateString() === new Date().toDateString();
  const [, month = '', day = ''] = date.toDateString().split(' ');
  return isToday ? date.toTimeString().slice(0, 5) : `${month}${day}`;
}

/** A number of bytes in short, with powers of 1000: `12.3M`. */
export function amount(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const value = bytes / 1000 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${UNITS[step]}`;
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P'];

/** Colours the state: green for `ok`, red for all others. */
const paint = (line: string, state: string, colour: boolean): string =>
  colour ? line.replace(` ${state} `, ` \x1b[${state === 'ok' ? 32 : 31}m${state}\x1b[0m `) : line;
