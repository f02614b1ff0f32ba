import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { help } from '../../src/cli/help.js';
import { isBuilt, OPTIONS, WORDS } from '../../src/cli/options.js';

const PAGE = 'man/via.1';
const page = readFileSync(PAGE, 'utf8');

/** The lines between two headings of the page. */
function section(from: string, to: string): string {
  return page.slice(page.indexOf(`\n${from}\n`), page.indexOf(`\n${to}\n`));
}

test('mandoc finds nothing to say about the page', (t) => {
  // Style messages are left out: they name each page of SEE ALSO that this machine has not installed.
  const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', PAGE], { encoding: 'utf8' });
  t.is(lint.error, undefined, 'mandoc is needed (Debian: apt install mandoc)');
  t.is(lint.stdout, '');
  t.is(lint.status, 0);
});

test('its options are those of the table, in that order', (t) => {
  const items = [...section('.Ss Options', '.Ss Words').matchAll(/^\.It (.*)$/gm)].map((found) => found[1]);
  const expected = OPTIONS.map(({ name, short, values, takes }) => {
    const free = takes === undefined ? '' : ` Ns = Ns Ar ${takes}`;
    const value = values === undefined ? free : ` Ns = Ns Cm ${values.join(' Ns | Ns Cm ')}`;
    return `${short === undefined ? '' : `Fl ${short} , `}Fl -${name}${value}`;
  });
  t.deepEqual(items, expected);
});

test('its options are those of --help, in that order, and one that via writes for itself', async (t) => {
  const printed = [...(await help()).matchAll(/^ {2,6}(?:-\w, )?--([\w-]+) /gm)].map((found) => found[1]);
  const written = [...section('.Ss Options', '.Ss Words').matchAll(/^\.It .*Fl -([\w-]+)/gm)].map((found) => found[1]);
  const hidden = OPTIONS.filter(({ internal }) => internal).map(({ name }) => name);
  t.deepEqual(hidden, ['notify']);
  t.deepEqual(
    printed,
    written.filter((name) => !hidden.includes(name!)),
  );
});

test('its words are those that are built; the others are named as reserved', (t) => {
  const text = section('.Ss Words', '.Ss Staying or becoming');
  const items = [...text.matchAll(/^\.It Cm (\w+)/gm)].map((found) => found[1]);
  t.deepEqual(
    items,
    WORDS.filter(isBuilt).map(({ name }) => name),
  );

  const reserved = text.slice(text.indexOf('reserved')).match(/^\.Cm .*$/gm)!;
  const names = reserved.flatMap((line) => line.replace(/^\.Cm | \.$/g, '').split(' '));
  t.deepEqual(
    names,
    WORDS.filter((word) => !isBuilt(word)).map(({ name }) => name),
  );
});
