import { readFileSync } from 'node:fs';
import { markOf, MASK, zoneOf } from '../plan/numbers.js';
import { quote } from '../plan/render.js';
import { keyOf, type Group } from '../plan/wayout.js';
import { ignoring } from './cgroup.js';
import { besideUs } from './proc.js';
import type { Job } from './tools.js';

/**
 * The process that has connection tracking forget the entries of groups that are gone, as far as they are in a zone of
 * via's (bin/forget); none where nothing is tracked. A program outside that sends from the same address and port at once
 * would else get another port, or lose what it sends (nf_conntrack_core.c, __nf_conntrack_confirm). It may fail.
 */
export function forgetJobs(gone: readonly Pick<Group, 'slot' | 'wayOut'>[]): Job[] {
  if (gone.length === 0 || !isTracked()) return [];
  const words = gone.map(({ slot, wayOut }) => `${markOf(slot)}/${MASK}/${zoneOf(keyOf(wayOut))}`);
  return [{ argv: ['perl', quote(besideUs('forget')), ...new Set(words)], answer: 'forgotten' }];
}

/** Whether connection tracking knows anything in this network namespace. */
const isTracked = (): boolean =>
  Number(ignoring(['ENOENT', 'EACCES'], () => readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'))) > 0;
