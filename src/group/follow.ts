import type { Known } from '../gateway/known.js';
import { resolve } from '../gateway/resolve.js';
import { parseGateway } from '../gateway/text.js';
import { isViaError } from '../failure.js';
import { FAMILIES, keyOf, pathOf, wayOf, type Family, type Group, type WayOut } from '../plan/wayout.js';
import { parseAsked, type Asked } from '../state/asked.js';
import { recordText, type GroupRecord } from '../state/records.js';

/**
 * A group with the way out that its device has now, where it follows one: a renewed lease may name another router. As it
 * was where the device leads nowhere now, in one family or in both: then that is closed, and by its last router again if
 * that comes back.
 */
export function followed(group: Group, record: GroupRecord | undefined, known: Known): Group {
  if (!group.wayOut.followsDevice) return group;
  const now = wayNow(group.wayOut, parseAsked(record?.asked), known);
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

function wayNow(before: WayOut, wish: Asked | undefined, known: Known): WayOut | undefined {
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
