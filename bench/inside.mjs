// Runs inside the lab's client: times commands in turn, so that a slow moment of the machine meets all of them.
import { spawnSync } from 'node:child_process';

const [runs, via, cold] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const contenders = {
  'node -e 0': ['node', '-e', '0'],
  help: [via, '--help'],
  ...(cold === 'cold'
    ? { recipe: ['bash', process.argv[5], 'true'], cold: [via, '10.0.2.1', '--', 'true'] }
    : { warm: [via, '10.0.2.1', '--', 'true'], 'warm -x': [via, '-x', '10.0.2.1', '--', 'true'] }),
};
const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
for (let run = 0; run < runs; run++) {
  for (const [name, [command, ...args]] of Object.entries(contenders)) {
    const start = process.hrtime.bigint();
    const { status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    times[name].push(Number(process.hrtime.bigint() - start) / 1e6);
    if (status !== 0) throw new Error(`${name}: status ${status}: ${stderr}`);
  }
}
console.log(JSON.stringify(times));
