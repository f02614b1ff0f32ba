// Runs the tests with ava, sums up on a line of its own, and counts a skipped test as a failure.
// Usage: node scripts/test.mjs [CONFIG...] [ava's arguments]; each CONFIG, a file of its own, is run after the other.
import { spawn } from 'node:child_process';

const words = process.argv.slice(2);
const configs = words.filter((word, i) => word.endsWith('.config.js') && words[i - 1] !== '--config');
const rest = words.filter((word) => !configs.includes(word));

/** Runs ava once. Gives how it ended, and how many tests passed, failed and were skipped. */
const run = (options) =>
  new Promise((resolve) => {
    const ava = spawn('node_modules/.bin/ava', [...options, ...rest], { stdio: ['inherit', 'pipe', 'inherit'] });
    let output = '';
    ava.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      process.stdout.write(text);
    });
    ava.on('close', (status, signal) => {
      const plain = output.replace(/\x1b\[[0-9;]*m/g, '');
      // ava's own sum leaves out those that passed when one failed.
      const count = (mark) => plain.split('\n').filter((line) => line.trimStart().startsWith(mark)).length;
      resolve({ isGood: status === 0 && signal === null, counts: ['✔ ', '✘ ', '- [skip]', '- [todo]'].map(count) });
    });
  });

const runs = [];
for (const options of configs.length === 0 ? [[]] : configs.map((config) => ['--config', config]))
  runs.push(await run(options));
const [passed, failed, skipped, todo] = [0, 1, 2, 3].map((i) => runs.reduce((sum, { counts }) => sum + counts[i], 0));
console.log(`${passed} passed, ${failed} failed, ${skipped + todo} skipped`);
const isGood = runs.every((one) => one.isGood) && passed > 0 && skipped + todo === 0;
process.exitCode = isGood ? 0 : 1;
