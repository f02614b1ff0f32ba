import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { viaBin } from '../helpers/paths.js';
import { via } from './tools.js';

// From here on via becomes the command by a group that is used already and is known to be in order, so that bin/join
// does without Node wherever it can; imported before the tests are.
via.splice(0, via.length, '-x');
const undo: (() => Promise<void>)[] = [];

test.before(async () => {
  const lab = await makeLab({ teardown: (act) => undo.push(act) }, { servers: false });
  const member = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo ready; exec sleep 600']);
  await member.waitFor(/ready/);
  // The first that joins finds all in order.
  await lab.sh('client', `${viaBin} -x 10.0.2.1 true && ls /run/via/intact-*`);
  via.splice(0, via.length, ...lab.command('client', [viaBin, '-q', '-x', '10.0.2.1', '--'], process.cwd()));
});

test.after.always(async () => {
  for (const act of undo.reverse()) await act();
});
