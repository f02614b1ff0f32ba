// Runs the tests with ava, sums up on a line of its own, and counts a skipped test as a failure.
// Usage: node scripts/test.mjs [ava's arguments]
import { spawn } from 'node:child_process';

const ava = spawn('node_modules/.bin/ava', process.argv.slice(2), { stdio: ['inherit', 'pipe', 'inherit'] });
let output = '';
ava.stdout.setEncoding('utf8').on('data', (text) => {
  output += text;
  process.stdout.write(text);
});
ava.on('close', (status, signal) => {
  const plain = output.replace(/\x1b\[[0-9;]*m/g, '');
  // ava's own sum leaves out those that passed when one failed.
  const count = (mark) => plain.split('\n').filter((line) => line.trimStart().startsWith(mark)).length;
  const [passed, failed, skipped, todo] = ['✔ ', '✘ ', '- [skip]', '- [todo]'].map(count);
  console.log(`${passed} passed, ${failed} failed, ${skipped + todo} skipped`);
  const good = status === 0 && signal === null && passed > 0 && skipped + todo === 0;
  process.exitCode = good ? 0 : status || 1;
});
