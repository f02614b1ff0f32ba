import { setTimeout as sleep } from 'node:timers/promises';
import type { Path } from '../plan/wayout.js';
import { parseLists, type NeighbourLine } from './routing.js';
import { runTools } from './tools.js';

/** The last and longest wait for an answer, in milliseconds. All waits add up to 255; a neighbour needs a few. */
const LONGEST = 128;

/**
 * Makes the kernel ask for the link-layer addresses of routers and gives those that answer, by `<next hop>%<device>`.
 * With `lock` the lock stays held meanwhile. `use` has the same effect as a packet to the router (iproute2 5.16); an
 * older ip(8) finds none.
 */
export async function askNeighbours(routers: readonly Required<Path>[], lock?: number): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (routers.length === 0) return found;
  const ask = routers.map(({ nextHop, device }) => `neigh replace ${nextHop} dev ${device} use\n`).join('');
  const show = routers.map(({ nextHop }) => `neigh show to ${nextHop}\n`).join('');
  for (let input = ask + show, wait = 1; ; input = show, wait *= 2) {
    const job = { argv: ['ip', '-N', '-j', '-force', '-batch', '-'], input } as const;
    const [done] = runTools([job], lock === undefined ? undefined : { fd: lock, take: false }) ?? [];
    const lines = parseLists<NeighbourLine>(done?.output ?? '');
    for (const { dst, dev, lladdr } of lines) if (lladdr !== undefined) found.set(`${dst}%${dev}`, lladdr);
    const pending = lines.some(({ state }) => state.includes('INCOMPLETE'));
    if (!pending || wait > LONGEST) return found;
    await sleep(wait);
  }
}
