import test from 'ava';
import { statusTable } from '../../src/plan/table.js';

/** The line of a member with this command. */
function lineOf(command: string, columns: number): string {
  const members = [{ pid: 7, user: 'root', command, since: new Date(2020, 0, 2) }];
  const all = { groups: [{ id: 'x', gateway: '10.0.2.1', members }], elsewhere: 0, complete: true };
  return statusTable(all, { columns, colour: false })[2] ?? '';
}

// Of 40 columns, 18 are taken by what stands before the command, and the last one shows that it goes on.
const before = '  7  root  Jan02  ';
const rows: Record<string, [command: string, shown: string]> = {
  'what fits': ['x'.repeat(22), 'x'.repeat(22)],
  'a long one': ['x'.repeat(200), `${'x'.repeat(21)}~`],
  'wide characters that fit': ['漢'.repeat(11), '漢'.repeat(11)],
  'wide characters': ['漢'.repeat(12), `${'漢'.repeat(10)}~`],
  'signs of two UTF-16 units': ['😀'.repeat(30), `${'😀'.repeat(10)}~`],
  'letters with an accent of their own': ['e\u0301'.repeat(22), 'e\u0301'.repeat(22)],
  'more of them': ['e\u0301'.repeat(23), `${'e\u0301'.repeat(21)}~`],
  'a terminal\u2019s commands': ['\x1b[31m\n\u202ea\u200f', '\\x1b[31m\\x0a\\x202ea\\x~'],
};

for (const [what, [command, shown]] of Object.entries(rows))
  test(`no line of status is wider than the terminal: ${what}`, (t) => {
    t.is(lineOf(command, 40), `${before}${shown}`);
  });

test('a command of megabytes is cut like any', (t) => {
  t.is(lineOf('漢'.repeat(5_000_000), 40), `${before}${'漢'.repeat(10)}~`);
});
