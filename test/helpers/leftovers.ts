import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { run } from './exec.js';
import type { Lab } from './lab.js';

/** Notes what a lab consists of, so that one can ask after its end whether any of it is left. */
export async function footprint(lab: Lab): Promise<() => Promise<string[]>> {
  const kinds = ['net', 'mnt', 'cgroup'];
  const spaces = new Set(kinds.map((kind) => namespaceOf(lab.walls.holder, kind)));
  const networks = await lab.sh('lan', 'stat -c "net:[%i]" /run/netns/*');
  for (const network of networks.trim().split('\n')) spaces.add(network);
  return async () => [...usersOf(spaces, kinds), ...(await traces(lab.walls.name))];
}

/** What the machine shows of a lab by its name: processes, mounts and groups. */
export async function traces(name: string): Promise<string[]> {
  // The hierarchy is looked at from a mount namespace that is gone with the look.
  const look = 'mount -t cgroup -o net_cls none /mnt && find /mnt -type d';
  const groups = await run(['unshare', '--mount', 'sh', '-c', look]);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const warden = processes().filter((pid) => textOf(pid, 'cmdline').includes(name));
  return [
    ...groups.stdout.split('\n').filter((line) => line.includes(name)),
    ...mounts.split('\n').filter((line) => line.includes('via-test')),
    ...warden.map((pid) => `process ${pid}`),
  ];
}

function usersOf(spaces: Set<string>, kinds: string[]): string[] {
  return processes().flatMap((pid) =>
    kinds
      .map((kind) => namespaceOf(pid, kind))
      .filter((space) => spaces.has(space))
      .map((space) => `process ${pid} in ${space}`),
  );
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Boolean);
}

function namespaceOf(pid: number, kind: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return ''; // Gone, or a zombie.
  }
}

function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
