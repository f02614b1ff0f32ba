// What a keeper takes while it waits, with all that it has started: time of the processor, memory, and how soon after the
// end all is gone, in a lab (where no agent of the kernel's wakes it, so that it looks by itself).
// Usage: npm run bench:keeper [seconds [groups...]]
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuOf, familyOf } from '../build/test/helpers/family.js';
import { makeLab } from '../build/test/helpers/lab.js';

const [seconds = 30, ...given] = process.argv.slice(2).map(Number);
// Each has a router of its own, which need not be there: 10.0.2.101 and so on.
const counts = given.length > 0 ? given.map((count) => Math.min(count, 126)) : [1, 10];
const via = fileURLToPath(new URL('../bin/via', import.meta.url));
const undo = [];
const lab = await makeLab({ teardown: (act) => undo.push(act) }, { servers: false });

/** MB; of programs that share their pages, these count for each. */
const residentOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

try {
  for (const count of counts) {
    const users = [];
    // Routers that need not be there: the kernel is not to look for them.
    const routers = Array.from({ length: count }, (_, n) => `10.0.2.${101 + n}`);
    const known = routers.map((router) => `neigh replace ${router} lladdr 02:00:00:00:02:01 nud permanent dev c2`);
    await lab.sh('client', `ip -batch - <<'EOF'\n${known.join('\n')}\nEOF`);
    for (const router of routers) {
      const user = lab.start('client', [via, '-x', router, '--', 'sh', '-c', 'echo in; read _']);
      await user.waitFor(/in/, { timeout: 20_000 });
      users.push(user);
    }
    await sleep(2000);
    const before = cpuOf(lab);
    await sleep(seconds * 1000);
    const hour = ((cpuOf(lab) - before) / seconds) * 3600;
    const resident = familyOf(lab).reduce((sum, { pid }) => sum + residentOf(pid), 0);
    for (const user of users) user.stdin.end();
    await Promise.all(users.map((user) => user.done));
    const end = performance.now();
    while (lab.keepers().length > 0) await sleep(5);
    const gone = Math.round(performance.now() - end);
    console.log(`${count} groups: ${hour.toFixed(2)} s an hour, ${resident.toFixed(1)} MB, all gone after ${gone} ms`);
  }
} finally {
  for (const act of undo.reverse()) await act();
}
