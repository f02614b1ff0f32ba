import type { Known } from '../gateway/known.js';
import { resolve } from '../gateway/resolve.js';
import { parseGateway } from '../gateway/text.js';
import { isViaError } from '../failure.js';
import { FAMILIES, type Family } from '../plan/family.js';
import { keyOf, pathOf, wayOf, type Group, type WayOut } from '../plan/wayout.js';
import { parseAsked, type Asked } from '../state/asked.js';
import { recordText, type GroupRecord } from '../state/records.js';

/**
 * A group whose way out follows a device, with the device's present default route: a renewed lease may name another
 * router. A family without a default route keeps its last router. It is closed meanwhile, and works again if the router
 * comes back.
 */
export function followed(group: Group, record: GroupRecord | undefined, known: Known): Group {
  if (!group.wayOut.followsDevice) return group;
  const now = wayNow(group.wayOut, parseAsked(record?.asked), known);
  const wayOut = now === undefined ? group.wayOut : withLastRouters(group.wayOut, now);
  return keyOf(wayOut) === keyOf(group.wayOut) ? group : { ...group, wayOut };
}

/**
 * The present way out of a device, in which a family that would be refused keeps the router that it had before. A lost
 * family differs from one that the device never had.
 */
export function withLastRouters(before: WayOut, now: WayOut): WayOut {
  if (!now.followsDevice || !before.followsDevice) return now;
  const way = (family: Family): WayOut['v4'] => {
    const last = pathOf(before, family);
    return wayOf(now, family) === 'refuse' && last?.nextHop !== undefined ? last : wayOf(now, family);
  };
  return { ...now, v4: way(4), v6: way(6) };
}

/** The text of a group's record, with the present way out. */
export const followedText = (record: GroupRecord, text: string, { wayOut }: Group): string => {
  const key = keyOf(wayOut);
  return key === record.key ? text : recordText({ ...record, key });
};

function wayNow(before: WayOut, wish: Asked | undefined, known: Known): WayOut | undefined {
  const [device] = FAMILIES.flatMap((one) => pathOf(before, one)?.device ?? []);
  if (device === undefined) return undefined;
  // Without the record the options are unknown, and the other family is refused.
  const { ipv4 = 'refuse', ipv6 = 'refuse' } = wish ?? {};
  try {
    return resolve(parseGateway(`%${device}`), { ipv4, ipv6, lan: before.lan }, known);
  } catch (error) {
    if (isViaError(error)) return undefined;
    throw error;
  }
}
