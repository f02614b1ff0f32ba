// Two gateways in network namespaces of their own, the same curl by each, and what is left afterwards: nothing.
import { fileURLToPath } from 'node:url';
import { makeLab } from '../build/test/helpers/lab.js';
import { diff, snapshot } from '../build/test/helpers/snapshot.js';

if (process.geteuid() !== 0) {
  console.error('the demo makes network namespaces, so it needs root: sudo npm run demo');
  process.exit(1);
}
const undo = [];
const lab = await makeLab({ teardown: (act) => undo.push(act) });
const env = { NODE_EXTRA_CA_CERTS: undefined, NODE_OPTIONS: undefined };

async function show(comment, argv) {
  console.log(`\n# ${comment}\n$ ${argv.join(' ')}`);
  const [command, ...args] = argv;
  const viaBin = fileURLToPath(new URL('../bin/via', import.meta.url));
  const result = await lab.run('client', [command === 'via' ? viaBin : command, ...args], { env });
  process.stdout.write(`${result.stdout}${result.stderr}`.trimEnd() + '\n');
}

try {
  console.log(
    'A machine with two uplinks: c1 to the router 10.0.1.1 (the default route) and c2 to the router 10.0.2.1.',
  );
  console.log(
    'Behind each is a web server, 203.0.113.10, that answers with its name and the address it was asked from.',
  );
  const before = await snapshot(lab);
  const curl = ['curl', '-sS', 'http://203.0.113.10/'];
  const overV6 = ['curl', '-sS', 'http://[2001:db8:113::10]/'];
  await show('as always: by the default route', curl);
  await show('by the other router', ['via', '10.0.2.1', '--', ...curl]);
  await show("by a third router, on the first one's network", ['via', '10.0.1.3', '--', ...curl]);
  await show('IPv6 has no way by that router, so it fails at once', ['via', '10.0.2.1', '--', ...overV6]);
  await show('unless the router of that family is named too', ['via', '10.0.2.1,fe80::2:1%c2', '--', ...overV6]);
  const left = diff(before, await snapshot(lab));
  console.log('\n# rules, routes, firewall, sysctls, mounts, files and cgroups, compared with before:');
  console.log(left.length === 0 ? 'nothing is left.' : left.join('\n'));
  process.exitCode = left.length === 0 ? 0 : 1;
} finally {
  for (const act of undo.reverse()) await act();
}
