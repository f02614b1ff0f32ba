import type { Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { sniff } from '../helpers/sniff.js';
import { client } from '../helpers/topology.js';
import { watchOthers } from './other-path.js';
import { inGroup, type Product } from './senders.js';

/** Milliseconds within which the gateways' servers have said all, and some of it again. */
const LATE = 900;
export const late = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LATE));

/** Who parts from whom: two fixtures, and what is captured on the group's own path. */
export interface Parting {
  readonly server: string;
  readonly program: string;
  readonly own: string;
  /** Shell, on the client, when the program has done its part. */
  readonly event?: string;
}

/**
 * Has a member of a group end its connections; gives what left by another path, what passed its own, and what the
 * program said.
 */
export async function partAndWait(lab: Lab, product: Product, gateway: 'g2' | 'g3', parting: Parting) {
  const { server, program, event } = parting;
  await lab.serve(gateway, ['/usr/bin/python3', fixture(server)]);
  const others = await watchOthers(lab, gateway, product === 'classic' ? 4 : undefined);
  const own = await sniff(lab, gateway, 'eth0', parting.own);
  // The classic recipe leaves by g2 with main's source, unless the program chooses its own.
  const source = product === 'classic' ? [client[gateway === 'g2' ? 'c2' : 'c1'].v4] : [];
  const leaver = lab.start('client', inGroup(product, gateway, [...python, fixture(program), ...source]));
  await leaver.waitFor(/^left$/m);
  const heard = leaver.stdout;
  if (event !== undefined) await lab.sh('client', event);
  await late();
  const seen = { others: await others.stop(), own: await own.stop(), heard };
  leaver.stdin.end();
  await leaver.done;
  return seen;
}
