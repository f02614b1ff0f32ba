import { readFileSync } from 'node:fs';
import test from 'ava';
import { lookJobs } from '../../src/group/look.js';
import { viaBin } from '../helpers/paths.js';

test('the launcher reads ahead what a launch would read', (t) => {
  const launcher = readFileSync(viaBin, 'utf8');
  const jobs = lookJobs();
  t.is(jobs.length, 3);
  for (const { argv, input = '' } of jobs) {
    const command = argv.join(' ').replace(/^ip -\d/, 'ip -$via_family');
    t.true(
      launcher.includes(
        input === ''
          ? `\n  ${command} 2>&1\n`
          : `${command} <<X\n${input.replace(/(link show)?\n$/, '$via_links\n')}X\n`,
      ),
      command,
    );
  }
});
