import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from './lab.js';
import { until } from './left.js';
import type { Place } from './topology.js';

/** Texts by the name of what they tell: two snapshots of an untouched machine are equal. */
export type Snapshot = Record<string, string>;

/** All that via could leave behind in a network namespace and on its machine. */
export async function snapshot(lab: Lab, place: Place = 'client'): Promise<Snapshot> {
  const script = Object.entries(commands)
    .map(([name, command]) => `echo '${border}${name}'; { ${command}; } 2>&1`)
    .join('\n');
  let [stdout, isHeld] = ['', false];
  // The keeper's guard goes with the process that holds it, a moment after the keeper.
  const isLoose = async () => {
    stdout = (await lab.run(place, ['sh', '-c', script])).stdout;
    isHeld = lab.keepers().length > 0;
    return stdout.includes(GUARD) && !isHeld;
  };
  await until('the guard is gone', async () => !(await isLoose()), 2000).catch(() => {});
  const parts = stdout.split(new RegExp(`^${border}`, 'm')).slice(1);
  const texts = parts.map((part): [string, string] => {
    const end = part.indexOf('\n');
    const text = part.slice(end + 1);
    return [part.slice(0, end), isHeld ? text.replace(HELD, '') : text];
  });
  return {
    ...Object.fromEntries(texts),
    cgroups: cgroupTree(lab.walls.groups),
  };
}

/** The lines that came (+) and went (-), each with what it is part of; empty when equal. */
export function diff(before: Snapshot, after: Snapshot): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [old, now] = [before[name] ?? '', after[name] ?? ''];
    if (old === now) return [];
    const [oldLines, nowLines] = [old.split('\n'), now.split('\n')];
    const changes = [
      ...oldLines.filter((line) => !nowLines.includes(line)).map((line) => `${name} - ${line}`),
      ...nowLines.filter((line) => !oldLines.includes(line)).map((line) => `${name} + ${line}`),
    ];
    return changes.length ? changes : [`${name}: the same lines in another order or number`];
  });
}

const border = '=== ';

/** The keeper's, which comes when a group has been there for a moment: what it stops, the tests of healing tell. */
const GUARD = 'table inet via_guard';
const HELD = new RegExp(`^${GUARD} \\{[^]*?^\\}\n\n?`, 'm');

const commands = {
  // Stateless: the counters of somebody else's rules go on counting.
  nft: 'nft -s list ruleset',
  // Without the time of day in the comments, and without the counters of the built-in chains.
  iptables: `iptables-save | sed '/^#/d; s/ \\[[0-9:]*\\]$//'`,
  ip6tables: `ip6tables-save | sed '/^#/d; s/ \\[[0-9:]*\\]$//'`,
  'iptables-legacy': `cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null
    { iptables-legacy-save; ip6tables-legacy-save; } | sed '/^#/d; s/ \\[[0-9:]*\\]$//'`,
  rules: 'ip -j rule',
  rules6: 'ip -j -6 rule',
  // A route's age is no part of it.
  routes: `ip route show table all`,
  routes6: `ip -6 route show table all | sed 's/ expires [0-9]*sec//'`,
  links: 'ip -o link',
  addresses: `ip -o address | sed 's/ [a-z_]*_lft [^ ]*//g'`,
  // flush is write-only, stable_secret cannot be read before it is set: neither has a value.
  sysctls: `cd /proc/sys/net && find ipv4 ipv6 -type f ! -name flush ! -name stable_secret |
    sort | xargs -d '\\n' grep -H ''`,
  // What is in a net_cls mount is part of the cgroups; the lock's text only tells that something was changed since.
  files: `find /run/via -path '/run/via/net_cls/*' -prune -o -printf '%p %M %u %g %l\\n' -type f ! -name lock -exec sha256sum {} \\; 2>&1 | sort`,
  // The agent is that of the whole machine, which all labs share.
  mounts: `sed 's/,release_agent=[^ ,]*//' /proc/self/mountinfo`,
  runs: 'ls -A /run',
  // Labs share net_cls; test/alone looks at the machine's.
  controllers: 'cut -f1,4 /proc/cgroups',
  ownCgroups: `sed 's/^[0-9]*://' /proc/self/cgroup | sort`,
};

/** Each group with its class id and its number of members, the lab's own root without these. */
function cgroupTree(folder: string, path = '/'): string {
  const at = join(folder, path);
  const classId = readFileSync(join(at, 'net_cls.classid'), 'utf8').trim();
  const members = readFileSync(join(at, 'cgroup.procs'), 'utf8').split('\n').length - 1;
  const own = path === '/' ? `/ ${classId}\n` : `${path} ${classId} ${members}\n`;
  const names = readdirSync(at, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(at, entry.name)))
    .map((entry) => entry.name)
    .sort();
  return own + names.map((name) => cgroupTree(folder, join(path, name))).join('');
}
