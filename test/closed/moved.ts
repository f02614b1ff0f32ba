import type { ExecutionContext } from 'ava';
import type { Running } from '../helpers/exec.js';
import type { Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { probeCommand } from '../helpers/probes.js';
import { client, far, type Gateway } from '../helpers/topology.js';
import { watchOthers } from './other-path.js';
import { inGroup, type Product } from './senders.js';

export const families = [4, 6] as const;
export type Kind = 'tcp' | 'udp';

/** The port of a server that answers each line, and the member's own port. */
export const ports = { server: 7001, udp: 7000, member: 5000 };

/** What the member's peer says by main's line, before the member sends (again). Gives the answers and what leaked. */
export async function moved(
  t: ExecutionContext,
  lab: Lab,
  product: Product,
  { gateway, kind, family, padded = false }: { gateway: Gateway; kind: Kind; family: 4 | 6; padded?: boolean },
  event = (): Promise<unknown> => Promise.resolve(),
): Promise<{ answer: string; leaked: string[] }> {
  const member = await talker(lab, product, gateway, kind, family);
  if (kind === 'tcp') t.regex(await say(member), new RegExp(`^${gateway}\\b`));
  const capture = await watchOthers(lab, gateway, family);
  await event();
  await forget(lab);
  await forge(lab, kind, family, ...(padded ? ['padded'] : []));
  const answer = await say(member);
  const leaked = await capture.stop();
  member.stdin.end();
  await member.done;
  return { answer, leaked };
}

/** A member with a connected socket that sends each line of its input and prints the answer. */
async function talker(lab: Lab, product: Product, gateway: Gateway, kind: Kind, family: 4 | 6): Promise<Running> {
  const port = kind === 'tcp' ? ports.server : ports.udp;
  const address = far[`v${family}`];
  const words = probeCommand(kind, { address, port, localPort: ports.member, talk: true, timeout: 2 });
  const running = lab.start('client', inGroup(product, gateway, words));
  await running.waitFor(/^open$/m);
  return running;
}

async function say(running: Running): Promise<string> {
  const from = running.stdout.length;
  running.stdin.write('who\n');
  const [, answer = ''] = await running.waitFor(/^(.+)$/m, { from, timeout: 5000 });
  return answer;
}

/** One packet as if from the member's peer, by main's router. */
async function forge(lab: Lab, kind: Kind, family: 4 | 6, ...padded: string[]): Promise<void> {
  const v = `v${family}` as const;
  const port = kind === 'tcp' ? ports.server : ports.udp;
  const ends = [far[v], String(port), client.c1[v], String(ports.member)];
  const { code, stderr } = await lab.run('g1', [...python, fixture('forge.py'), kind, ...ends, ...padded]);
  if (code !== 0) throw new Error(stderr);
}

const forget = (lab: Lab): Promise<string> => lab.sh('client', 'conntrack -F 2>/dev/null');
