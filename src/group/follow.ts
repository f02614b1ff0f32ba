import type { Known } from '../gateway/known.js';
import { resolve } from '../gateway/resolve.js';
import { parseGateway } from '../gateway/text.js';
import { isViaError } from '../failure.js';
import type { OtherFamily } from '../request.js';
import { FAMILIES, keyOf, pathOf, wayOf, type Family, type Group, type WayOut } from '../plan/wayout.js';
import { recordText, type GroupRecord } from './records.js';

/** What a way out was asked for by: the gateway as it was typed, and the options that belong to it. */
export interface Wish {
  readonly gateway: string;
  readonly ipv4: OtherFamily;
  readonly ipv6: OtherFamily;
  readonly lan: boolean;
}

/** A wish as it is on record. */
export const wishText = ({ gateway, ipv4, ipv6, lan }: Wish): string =>
  [gateway, `ipv4=${ipv4}`, `ipv6=${ipv6}`, `lan=${lan}`].join(' ');

/** The wish on record; undefined where that is none. */
export function parseWish(text = ''): Wish | undefined {
  const [, gateway, ipv4, ipv6, lan] = /^(\S+) ipv4=(\w+) ipv6=(\w+) lan=(\w+)$/.exec(text) ?? [];
  if (gateway === undefined) return undefined;
  return { gateway, ipv4: family(ipv4), ipv6: family(ipv6), lan: lan !== 'false' };
}

const family = (word: string | undefined): OtherFamily => (word === 'allow' ? 'allow' : 'refuse');

/**
 * A group with the way out that its device has now, where it follows one: a renewed lease may name another router. As it
 * was where the device leads nowhere now, in one family or in both: then that is closed, and by its last router again if
 * that comes back.
 */
export function followed(group: Group, record: GroupRecord | undefined, known: Known): Group {
  if (!group.wayOut.followsDevice) return group;
  const now = wayNow(group.wayOut, parseWish(record?.asked), known);
  const wayOut = now === undefined ? group.wayOut : keeping(group.wayOut, now);
  return keyOf(wayOut) === keyOf(group.wayOut) ? group : { ...group, wayOut };
}

/**
 * What a device leads to now, with the routers that it had before in a family that would be refused for want of one: what
 * was lost is no family that was never there. A device that needs no next hop has none to keep.
 */
export function keeping(before: WayOut, now: WayOut): WayOut {
  if (!now.followsDevice || !before.followsDevice) return now;
  const way = (family: Family): WayOut['v4'] => {
    const last = pathOf(before, family);
    return wayOf(now, family) === 'refuse' && last?.nextHop !== undefined ? last : wayOf(now, family);
  };
  return { ...now, v4: way(4), v6: way(6) };
}

/** The record of a group that may have followed its device. */
export const followedText = (record: GroupRecord, text: string, { wayOut }: Group): string => {
  const key = keyOf(wayOut);
  return key === record.key ? text : recordText({ ...record, key });
};

function wayNow(before: WayOut, wish: Wish | undefined, known: Known): WayOut | undefined {
  const [device] = FAMILIES.flatMap((one) => pathOf(before, one)?.device ?? []);
  if (device === undefined) return undefined;
  // Somebody took the record away: what is not known is refused.
  const { ipv4 = 'refuse', ipv6 = 'refuse' } = wish ?? {};
  try {
    return resolve(parseGateway(`%${device}`), { ipv4, ipv6, lan: before.lan }, known);
  } catch (error) {
    if (isViaError(error)) return undefined;
    throw error;
  }
}
