import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { run } from './exec.js';
import type { Lab } from './lab.js';

/**
 * Notes what a lab consists of, so that one can ask after its end whether any of it is left. What has started since it
 * was asked the last time is another lab's: the numbers of namespaces that are gone are used again.
 */
export async function footprint(lab: Lab): Promise<() => Promise<string[]>> {
  const kinds = ['net', 'mnt', 'cgroup'];
  const spaces = new Set(kinds.map((kind) => namespaceOf(lab.walls.holder, kind)));
  const networks = await lab.sh('lan', 'stat -c "net:[%i]" /run/netns/*');
  for (const network of networks.trim().split('\n')) spaces.add(network);
  let asked = Infinity;
  return async () => {
    const users = usersOf(spaces, kinds, asked);
    asked = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    return [...users, ...(await traces(lab.walls.name))];
  };
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

function usersOf(spaces: Set<string>, kinds: string[], startedBefore: number): string[] {
  const old = processes().filter((pid) => startOf(pid) < startedBefore);
  return old.flatMap((pid) =>
    kinds
      .map((kind) => namespaceOf(pid, kind))
      .filter((space) => spaces.has(space))
      .map((space) => `process ${pid} in ${space}`),
  );
}

/** In seconds since the machine's start, of which a tick is a hundredth (proc(5), stat). */
const startOf = (pid: number): number =>
  Number(
    textOf(pid, 'stat')
      .replace(/^.*\) /s, '')
      .split(' ')[19],
  ) / 100;

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
