import type { Lab } from './lab.js';
import type { Running } from './exec.js';
import { client, gateways, type Place } from './topology.js';

export interface Sniffer {
  /** The packets seen, a text line each; throws when the capture cannot be trusted. */
  stop(): Promise<string[]>;
}

export interface SniffOptions {
  /** Where markers go: an on-link address, so that they pass `device` whatever the routes say. */
  marker?: string;
  /** Milliseconds a marker may take. */
  patience?: number;
}

/**
 * Captures what passes a device. A capture without packets proves something only if it would have
 * shown one: so a marker, sent from the same namespace by a process outside any group, has to be
 * seen before the test goes on, and another one after it.
 */
export async function sniff(
  lab: Lab,
  place: Place,
  device: string,
  filter: string,
  { marker = neighbour(place, device), patience = 3000 }: SniffOptions = {},
): Promise<Sniffer> {
  const wanted = filter ? `(${filter}) or ${markers}` : '';
  const flags = `-i ${device} -n -l --immediate-mode -U -Z root -tt -s 256`.split(' ');
  const tcpdump = lab.own(lab.start(place, ['tcpdump', ...flags, wanted]));
  try {
    await tcpdump.waitFor(/listening on/, { timeout: patience, on: 'stderr' });
    await seeMarker(lab, place, marker, tcpdump, 1, patience);
  } catch (error) {
    tcpdump.kill('SIGKILL');
    throw error;
  }
  return {
    async stop() {
      try {
        // tcpdump prints in order: once this marker shows, all that came before it has shown.
        await seeMarker(lab, place, marker, tcpdump, 2, patience);
      } finally {
        tcpdump.kill('SIGINT');
      }
      const { stdout } = await tcpdump.done;
      const end = stdout.search(markerLine(2));
      return (
        stdout
          .slice(0, stdout.lastIndexOf('\n', end) + 1)
          .split('\n')
          .filter((line) => line && !/udp port 9 unreachable/.test(line) && !markerLine(1).test(line))
          // To some source ports tcpdump reads another protocol into a marker.
          .filter((line) => !line.includes(` > ${marker}.9: `))
      );
    },
  };
}

const markers = '(udp dst port 9)';

/** The discard port, and a length of its own for the first and the last. */
function markerLine(which: 1 | 2): RegExp {
  return new RegExp(`\\.9: UDP, length ${which * 11}\\b`, 'm');
}

async function seeMarker(
  lab: Lab,
  place: Place,
  address: string,
  tcpdump: Running,
  which: 1 | 2,
  patience: number,
): Promise<void> {
  const until = performance.now() + patience;
  for (;;) {
    // Whether it could be sent does not matter: what counts is that it is seen.
    const text = 'x'.repeat(which * 11);
    await lab.run(place, ['bash', '-c', `printf ${text} >/dev/udp/${address}/9`]);
    const left = until - performance.now();
    const seen = await tcpdump.waitFor(markerLine(which), { timeout: Math.min(left, 50) }).then(
      () => true,
      () => false,
    );
    if (seen) return;
    if (left <= 0 || tcpdump.child.exitCode !== null)
      throw new Error(`no marker in the capture, so it proves nothing: ${tcpdump.stderr}`);
  }
}

/** Somebody on the link behind a device. */
function neighbour(place: Place, device: string): string {
  if (place !== 'client') return client[place === 'g2' ? 'c2' : place === 'g4' ? 'tun0' : 'c1'].v4;
  const known = Object.values(gateways).find((gateway) => gateway.device === device);
  if (!known) throw new Error(`who is on the link of ${device}? name a marker address`);
  return known.v4;
}
