import type { Result } from './exec.js';
import type { Lab } from './lab.js';
import { fixture, python } from './paths.js';
import { far, gatewaysOf, hopLimit, type Place } from './topology.js';

export type Kind = 'tcp' | 'udp' | 'ping';

/** Something that runs a command: outside any group, through via, by the classic recipe. */
export type Runner = (argv: string[]) => Promise<Result>;

/** What came of asking once. */
export interface Seen {
  /** The gateway that answered. */
  gateway: string | null;
  /** The address it saw; ping cannot tell (its gateway is told by the hop limit). */
  source: string | null;
  port: number | null;
  /** An errno's name, ping's own words, or ETIMEDOUT. */
  error: string | null;
  ms: number;
  /** The socket's own idea of its address. */
  local?: string | null;
}

export interface ProbeOptions {
  address?: string;
  port?: number;
  local?: string;
  localPort?: number;
  device?: string;
  /** Seconds. */
  timeout?: number;
  /** UDP by sendto() in place of connect() and send(). */
  unconnected?: boolean;
  /** Keeps the socket, and answers each line of its input with a line; for port 7001 or UDP. */
  talk?: boolean;
}

/** Asks whoever is behind the far address, by the given runner, and tells who answered. */
export async function probe(runner: Runner, kind: Kind, family: 4 | 6, options: ProbeOptions = {}): Promise<Seen> {
  const address = options.address ?? (family === 4 ? far.v4 : far.v6);
  const result = await runner(probeCommand(kind, { ...options, address }));
  return kind === 'ping' ? readPing(result) : readProbe(result);
}

/** What `probeAll` asks for, and the name of the answer: `tcp v4`. */
export type Asked = readonly [kind: Kind, family: 4 | 6];
export const allKinds: readonly Asked[] = ([4, 6] as const).flatMap((family) =>
  (['tcp', 'udp', 'ping'] as const).map((kind): Asked => [kind, family]),
);

/** Asks several times from one run, one after the other; gives who answered, or the error, by `tcp v4` and so on. */
export async function probeAll(runner: Runner, asked = allKinds): Promise<Record<string, string>> {
  const end = '=== end';
  const lines = asked.map(([kind, family]) => {
    const words = probeCommand(kind, { address: family === 4 ? far.v4 : far.v6 });
    return `${words.join(' ')} 2>&1; echo '${end}'`;
  });
  const result = await runner(['sh', '-c', lines.join('\n')]);
  const parts = result.stdout.split(`${end}\n`);
  return Object.fromEntries(
    asked.map(([kind, family], i) => {
      const part = { ...result, stdout: parts[i] ?? '' };
      const { gateway, error } = kind === 'ping' ? readPing(part) : readProbe(part);
      return [`${kind} v${family}`, gateway ?? error ?? ''];
    }),
  );
}

/** A runner outside any group. */
export function outside(lab: Lab, place: Place = 'client'): Runner {
  return (argv) => lab.run(place, argv);
}

export function probeCommand(kind: Kind, options: ProbeOptions & { address: string }): string[] {
  const { address, port = 7000, local, localPort, device, timeout = 1, unconnected, talk } = options;
  if (kind === 'ping') {
    const from = device ?? local;
    return ['ping', '-n', '-c1', `-W${timeout}`, ...(from ? ['-I', from] : []), address];
  }
  const given = { local, 'local-port': localPort, device, timeout, unconnected, talk };
  const words = Object.entries(given).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [`--${name}`, value === true ? '1' : String(value)],
  );
  return [...python, fixture('probe.py'), kind, address, String(port), ...words];
}

export function readProbe(result: Result): Seen {
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line) as Seen;
  } catch {
    return failed(result, result.stderr.trim() || `exit ${result.code ?? result.signal}`);
  }
}

function readPing(result: Result): Seen {
  const answer = /ttl=(\d+) time=([\d.]+)/.exec(result.stdout);
  if (answer) {
    const gateway = gatewaysOf({ tun: true }).find((name) => hopLimit(name) === Number(answer[1]));
    return { ...failed(result, null), gateway: gateway ?? `ttl ${answer[1]}`, ms: Number(answer[2]) };
  }
  const words = /^From \S+ (?:icmp_seq=\d+ )?(.*)$/m.exec(result.stdout)?.[1];
  return failed(result, words ?? (result.stderr.trim() || 'ETIMEDOUT'));
}

function failed(result: Result, error: string | null): Seen {
  return { gateway: null, source: null, port: null, error, ms: result.ms };
}
