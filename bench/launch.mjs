// Times a launch as a ratio to what it is compared with; medians of interleaved runs, in a lab of network namespaces.
// Usage: npm run bench [runs]
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onExit } from 'signal-exit';
import { makeLab } from '../build/test/helpers/lab.js';

const runs = process.argv[2] ?? '40';
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const via = here('../bin/via');
const undo = [];
const lab = await makeLab({ teardown: (act) => undo.push(act) });
const env = { NODE_EXTRA_CA_CERTS: undefined, NODE_OPTIONS: undefined };

/** The recipe of a launch as a bash script: the commands of its dry run, in batches, and all of it taken away. */
function recipe(dryRun) {
  const lines = dryRun.split('\n');
  const batch = (family, verb) =>
    lines
      .filter((line) => line.startsWith(`ip -${family} `))
      .map((line) => line.slice(6).replace(' add ', ` ${verb} `))
      .join('\n');
  const start = lines.findIndex((line) => line.startsWith('nft -f'));
  const end = lines.indexOf('EOF');
  const files = lines.slice(end + 1).filter((line) => /^(mkdir|echo \d+ >)/.test(line));
  const group = files.find((line) => line.startsWith('mkdir')).slice(6);
  return `${lines.filter((line) => /^(mkdir -m|install|mount)/.test(line)).join('\n')}
ip -4 -batch - <<X
${batch(4, 'add')}
X
ip -6 -batch - <<X
${batch(6, 'add')}
X
${lines.slice(start, end + 1).join('\n')}
${files.join('\n')}
(echo $BASHPID > ${group}/cgroup.procs; exec "$@")
status=$?
rmdir ${group}
nft delete table inet via
ip -4 -batch - <<X
${batch(4, 'del')}
X
ip -6 -batch - <<X
${batch(6, 'del')}
X
umount -n /run/via/net_cls
rm /run/via/lock
rmdir /run/via/net_cls /run/via
exit $status
`;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function time(...args) {
  const result = await lab.run('client', ['node', here('inside.mjs'), runs, via, ...args], { env, timeout: 600_000 });
  if (result.code !== 0) throw new Error(result.stderr);
  return Object.fromEntries(Object.entries(JSON.parse(result.stdout)).map(([name, list]) => [name, median(list)]));
}

function report(name, value, unit, base, budget) {
  const ratio = base === undefined ? value : value / base;
  const mark = ratio <= budget ? 'within' : 'OVER';
  const shown = base === undefined ? '' : ` = ${ratio.toFixed(2)} x ${base.toFixed(1)} ${unit}`;
  console.log(`${name.padEnd(9)} ${value.toFixed(1)} ${unit}${shown}, ${mark} the budget of ${budget}`);
}

try {
  const script = here('../build/recipe.sh');
  onExit(() => rmSync(script, { force: true }));
  writeFileSync(
    script,
    recipe((await lab.run('client', [via, '--dry-run', '10.0.2.1', '--', 'true'], { env })).stdout),
  );
  const cold = await time('cold', script);
  const user = lab.start('client', [via, '10.0.2.1', '--', 'sh', '-c', 'echo ready; exec sleep 600'], { env });
  await user.waitFor(/ready/);
  const warm = await time('warm');
  const status = readFileSync(`/proc/${user.pid}/status`, 'utf8');
  report('cold', cold.cold, 'ms', cold.recipe, 1.4);
  report('warm', warm.warm, 'ms', warm['node -e 0'], 1.7);
  report('warm -x', warm['warm -x'], 'ms', warm['node -e 0'], 1.4);
  report('--help', cold.help, 'ms', cold['node -e 0'], 1.5);
  report('resident', Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024, 'MB', undefined, 42);
  user.kill('SIGTERM');
  await user.done;
} finally {
  for (const act of undo.reverse()) await act();
}
