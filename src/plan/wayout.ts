import type { OtherFamily } from '../request.js';
import type { Firewall } from './things.js';

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

/** Where one family's packets leave: the device, and the next hop unless the device is point to point. */
export interface Path {
  readonly device: string;
  readonly nextHop?: string;
}

/** What a gateway resolves to. Launches share a group only when all of it is equal. */
export interface WayOut {
  readonly v4: Path | OtherFamily;
  readonly v6: Path | OtherFamily;
  /** Connected networks stay directly reachable. */
  readonly lan: boolean;
  /** The user named the device, so the next hop follows the device's default route. */
  readonly followsDevice: boolean;
}

/** A group: one way out in use in one network namespace. */
export interface Group {
  /** Names the cgroup's directory. */
  readonly uuid: string;
  readonly slot: number;
  readonly classId: number;
  readonly wayOut: WayOut;
  readonly firewall: Firewall;
  /** The user id of whom it is for, where that is not root: nobody else is ever in it. */
  readonly owner?: number;
}

/** One family's part of a way out. */
export const wayOf = (wayOut: WayOut, family: Family): Path | OtherFamily => (family === 4 ? wayOut.v4 : wayOut.v6);

/** One family's path, where it has one. */
export function pathOf(wayOut: WayOut, family: Family): Path | undefined {
  const way = wayOf(wayOut, family);
  return typeof way === 'string' ? undefined : way;
}

/** Names a group's path of a family: two groups of one path may differ in what they need of it. */
export const pathName = (family: Family, { uuid }: Pick<Group, 'uuid'>): string => `${family} ${uuid}`;

/** The way out as one short text, equal exactly when the ways out are equal: `4=10.0.2.1%c2 6=refuse`. */
export function keyOf(wayOut: WayOut): string {
  const options = `${wayOut.followsDevice ? ' follow' : ''}${wayOut.lan ? '' : ' no-lan'}`;
  return `4=${wayText(wayOut.v4)} 6=${wayText(wayOut.v6)}${options}`;
}

/** The options that belong to a way out, as one would type them. */
export const optionsOf = ({ v4, v6, lan }: Pick<WayOut, 'v4' | 'v6' | 'lan'>): string[] => [
  ...(v4 === 'allow' ? ['--ipv4=allow'] : []),
  ...(v6 === 'allow' ? ['--ipv6=allow'] : []),
  ...(lan ? [] : ['--no-lan']),
];

/** A group's uuid and its owner, as one text that is kept in the firewall. */
export const nameOfGroup = ({ uuid, owner }: Pick<Group, 'uuid' | 'owner'>): string =>
  owner === undefined ? uuid : `${uuid} u${owner}`;

/** Both of such a text; undefined where it is none. */
export function parseGroupName(text = ''): Pick<Group, 'uuid' | 'owner'> | undefined {
  const [, uuid, owner] = /^(\S+?)(?: u(\d{1,10}))?$/.exec(text) ?? [];
  if (uuid === undefined) return undefined;
  return owner === undefined ? { uuid } : { uuid, owner: Number(owner) };
}

/** The way out of a key; undefined where the text is none. */
export function parseKey(key: string): WayOut | undefined {
  const match = /^4=(\S+) 6=(\S+)( follow)?( no-lan)?$/.exec(key);
  const v4 = parseWay(match?.[1]);
  const v6 = parseWay(match?.[2]);
  if (match === null || v4 === undefined || v6 === undefined) return undefined;
  return { v4, v6, lan: match[4] === undefined, followsDevice: match[3] !== undefined };
}

function wayText(way: Path | OtherFamily): string {
  return typeof way === 'string' ? way : `${way.nextHop ?? ''}%${way.device}`;
}

function parseWay(text: string | undefined): Path | OtherFamily | undefined {
  if (text === 'refuse' || text === 'allow') return text;
  const match = /^([0-9a-f.:]*)%([\w.-]+)$/.exec(text ?? '');
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return match[1] === '' ? { device: match[2] } : { device: match[2], nextHop: match[1] };
}
