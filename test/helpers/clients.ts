import type { Running } from './exec.js';
import type { Lab } from './lab.js';
import { launchWords } from './firewall.js';
import { fixture, python } from './paths.js';
import { client, far, gateways, type Gateway } from './topology.js';

/** All addresses that the client's servers have, unless they are given others. */
export const own = [client.c1.v4, client.c2.v4, client.c1.v6, client.c2.v6];
const server = [process.execPath, fixture('server.mjs')];

/** Where a server inside a group listens, and one that has nothing to do with it. */
export const ports = { inside: 7000, bystander: 8000 };

/** A server on the client outside any group. */
export const serveOutside = (lab: Lab, addresses = own): Promise<Running> =>
  lab.serve('client', ['env', 'PORT_OFFSET=1000', ...server, 'bystander', ...addresses]);

/** A server in a group; it ends with its standard input closed or with a signal. */
export async function serveInside(lab: Lab, words: string[], addresses = own): Promise<Running> {
  const running = lab.start('client', [...launchWords(words), '--', ...server, 'inside', ...addresses]);
  await running.waitFor(/^ready/m);
  return running;
}

/** `g1 far tcp v4` -> who answered, or the error. */
export type Answers = Record<string, string>;

/** Asks a server of the client's from everywhere: from the gateways, its neighbours, and from far behind them. */
export async function askFrom(lab: Lab, names: readonly Gateway[], port: number): Promise<Answers> {
  const all = names.map(async (name) => {
    const asked = (['near', 'far'] as const).flatMap((where) =>
      (['v4', 'v6'] as const).flatMap((v) =>
        ['tcp', 'udp'].map((kind) => {
          const local = where === 'far' ? far[v] : gateways[name][v];
          return {
            who: `${name} ${where} ${kind} ${v}`,
            line: `${kind} ${client[gateways[name].device][v]} ${port} ${local}`,
          };
        }),
      ),
    );
    const input = asked.map(({ line }) => `${line}\n`).join('');
    const { stdout, stderr } = await lab.run(name, [...python, fixture('ask.py'), '1'], { input });
    const lines = stdout.split('\n');
    return asked.map(({ who }, i) => [who, lines[i] ?? stderr] as const);
  });
  return Object.fromEntries((await Promise.all(all)).flat());
}

/** Who got no answer, or a wrong one. */
export const unanswered = (answers: Answers, name: string): string[] =>
  Object.entries(answers).flatMap(([who, answer]) =>
    answer === name ? [] : [answer === 'ETIMEDOUT' ? who : `${who}: ${answer}`],
  );

/** All the ways to ask that `askFrom` has for somebody far behind these gateways. */
export const farBehind = (...names: readonly Gateway[]): string[] =>
  names.flatMap((name) => ['v4', 'v6'].flatMap((v) => ['tcp', 'udp'].map((kind) => `${name} far ${kind} ${v}`)));

/** The order in which they answer. */
const kinds = (['v4', 'v6'] as const).flatMap((v) => ['tcp', 'udp'].map((kind) => [kind, v] as const));

/** Clients far behind a gateway that stay: TCP and UDP, both families, in the order of `farBehind`. */
export function keep(lab: Lab, gateway: Gateway, port: number): Running {
  const { device } = gateways[gateway];
  const running = lab.start(gateway, [...python, fixture('keep.py'), '0.7']);
  const line = ([kind, v]: (typeof kinds)[number]): string =>
    `${kind} ${client[device][v]} ${kind === 'tcp' ? port + 1 : port} ${far[v]}\n`;
  running.stdin.write(`${kinds.map(line).join('')}\n`);
  return running;
}

/** Has them ask once more; gives who answered each. */
export async function askAgain(clients: Running): Promise<string[]> {
  const from = clients.stdout.length;
  clients.stdin.write('\n');
  const [, line = ''] = await clients.waitFor(/^(.+)$/m, { from });
  return line.split(' ');
}

/** What `askAgain` gives when all of them were answered by one, or none (`-`). */
export const all = (name: string): string[] => kinds.map(() => name);

/** Ends clients and servers. */
export async function end(...running: Running[]): Promise<void> {
  for (const one of running) {
    one.stdin.end();
    one.kill('SIGINT');
    await one.done;
  }
}
