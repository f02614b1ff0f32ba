import { setTimeout as sleep } from 'node:timers/promises';
import type { Path } from '../plan/wayout.js';
import { parseLists, type NeighbourLine } from './routing.js';
import { runTools } from './tools.js';

/** The last and longest of the waits for an answer, in milliseconds: 255 in all, where a neighbour takes a few. */
const LONGEST = 128;

/**
 * Has the kernel ask for the link-layer addresses of routers, and gives those that answer: `<next hop>%<device>` ->
 * address. Without a lock, nobody else waits for that. `use` is what a packet to them would do (iproute2 5.16); where `ip`
 * does not know it, none is found.
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
