import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v4 as uuid } from 'uuid';
import { start, type Running } from './exec.js';
import { fixture } from './paths.js';

/** A machine's worth of isolation: mounts, cgroups and (further in) network namespaces of a lab. */
export interface Walls {
  name: string;
  /** The process whose namespaces are the lab's. */
  holder: number;
  /** The lab's part of the net_cls hierarchy, seen from outside the lab's own mounts. */
  groups: string;
  /** What to put before a command so that it runs inside; the network is a name or `lan`. */
  enter(network: string, cwd: string): string[];
  /** Every process of the lab but this one and the holder. */
  members(): number[];
  /** Ends all of it; false when something would not go. */
  end(): Promise<boolean>;
}

let standing: Walls | undefined;

export async function raiseWalls(): Promise<Walls> {
  // The cgroup of this very process is part of the lab, so there is room for one.
  if (standing) throw new Error('one lab at a time in a process: make these tests serial');
  const name = `via-test-${uuid()}`;
  const warden = start(
    ['unshare', '--mount', '--propagation', 'private', fixture('warden.sh'), name, String(process.pid)],
    { detached: true },
  );
  const holder = Number((await warden.waitFor(/^holder (\d+)$/m))[1]);
  const groups = `/proc/${warden.pid}/root/run/net_cls/${name}`;
  const walls: Walls = {
    name,
    holder,
    groups,
    enter: (network, cwd) => [
      'nsenter',
      `--mount=/proc/${holder}/ns/mnt`,
      `--cgroup=/proc/${holder}/ns/cgroup`,
      `--net=/proc/${holder}/${network === 'lan' ? 'ns/net' : `root/run/netns/${network}`}`,
      `--wdns=${cwd}`,
      '--',
    ],
    members: () => membersBelow(groups).filter((pid) => pid !== holder && pid !== process.pid),
    end: () => endWalls(walls, warden),
  };
  standing = walls;
  return walls;
}

async function endWalls(walls: Walls, warden: Running): Promise<boolean> {
  if (standing === walls) standing = undefined;
  warden.stdin.end();
  return (await warden.done).code === 0;
}

/** A group can go while it is looked at. */
function membersBelow(folder: string): number[] {
  try {
    return membersIn(folder);
  } catch (error) {
    if (/ENOENT|ENODEV/.test((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

function membersIn(folder: string): number[] {
  const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own.map(Number), ...below.flatMap((entry) => membersBelow(join(folder, entry.name)))];
}
