// What a keeper takes while it waits: time of the processor, memory, and how soon after the end all is gone, in a lab
// (where no agent of the kernel's wakes it, so that it looks by itself). Usage: npm run bench:keeper [seconds]
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeLab } from '../build/test/helpers/lab.js';

const seconds = Number(process.argv[2] ?? 30);
const via = fileURLToPath(new URL('../bin/via', import.meta.url));
const undo = [];
const lab = await makeLab({ teardown: (act) => undo.push(act) }, { servers: false });

try {
  for (const count of [1, 10]) {
    const users = [];
    for (let n = 0; n < count; n++) {
      const user = lab.start('client', [via, '-x', `10.0.2.${101 + n}`, '--', 'sh', '-c', 'echo in; read _']);
      await user.waitFor(/in/, { timeout: 20_000 });
      users.push(user);
    }
    const [{ pid }] = lab.keepers();
    const cpu = () => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
    await sleep(2000);
    const before = cpu();
    await sleep(seconds * 1000);
    const hour = ((cpu() - before) / seconds) * 3600;
    const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
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
