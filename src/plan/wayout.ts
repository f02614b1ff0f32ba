import type { OtherFamily } from '../request.js';
import type { Family } from './family.js';
import type { Firewall } from './things.js';

/** The path of one family's packets: the device, and the next hop unless the device is point to point. */
export interface Path {
  readonly device: string;
  readonly nextHop?: string;
}

/** The way out that a gateway resolves to. Launches share a group only when all of it is equal. */
export interface WayOut {
  readonly v4: Path | OtherFamily;
  readonly v6: Path | OtherFamily;
  /** Connected networks are reached directly, not by the gateway. */
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
  /** The user id of the only user who may join; undefined for a group of root's. */
  readonly owner?: number;
}

/** One family's path, or how that family is treated. */
export const wayOf = (wayOut: WayOut, family: Family): Path | OtherFamily => (family === 4 ? wayOut.v4 : wayOut.v6);

/** One family's path; undefined where that family is refused or left alone. */
export function pathOf(wayOut: WayOut, family: Family): Path | undefined {
  const way = wayOf(wayOut, family);
  return typeof way === 'string' ? undefined : way;
}

/** Names the path of one family of one group. Two groups with the same path may need different things of it. */
export const pathName = (family: Family, { uuid }: Pick<Group, 'uuid'>): string => `${family} ${uuid}`;

/** The way out as one short text: `4=10.0.2.1%c2 6=refuse`. Two texts are equal only if the ways out are equal. */
export function keyOf(wayOut: WayOut): string {
  const options = `${wayOut.followsDevice ? ' follow' : ''}${wayOut.lan ? '' : ' no-lan'}`;
  return `4=${wayText(wayOut.v4)} 6=${wayText(wayOut.v6)}${options}`;
}

/** The options of a way out, as they are typed. */
export const optionsOf = ({ v4, v6, lan }: Pick<WayOut, 'v4' | 'v6' | 'lan'>): string[] => [
  ...(v4 === 'allow' ? ['--ipv4=allow'] : []),
  ...(v6 === 'allow' ? ['--ipv6=allow'] : []),
  ...(lan ? [] : ['--no-lan']),
];

/** A group's uuid and owner as one text, which the firewall's rules keep in a comment. */
export const nameOfGroup = ({ uuid, owner }: Pick<Group, 'uuid' | 'owner'>): string =>
  owner === undefined ? uuid : `${uuid} u${owner}`;

/** Parses that text; undefined where it is malformed. */
export function parseGroupName(text = ''): Pick<Group, 'uuid' | 'owner'> | undefined {
  const [, uuid, owner] = /^(\S+?)(?: u(\d{1,10}))?$/.exec(text) ?? [];
  if (uuid === undefined) return undefined;
  return owner === undefined ? { uuid } : { uuid, owner: Number(owner) };
}

/** Parses the text of `keyOf`; undefined where it is malformed. */
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
