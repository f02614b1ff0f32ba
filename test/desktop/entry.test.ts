import test from 'ava';
import fc from 'fast-check';
import { readEntry, rewrite } from '../../src/desktop/entry.js';
import { execWords, isProgramPath } from '../../src/desktop/exec.js';
import { commandsOf, readByGlib } from '../helpers/glib.js';
import { tricky } from './tricky.js';

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const START = ['/usr/local/bin/via', '-x', '10.0.2.1%eth1', '--'];
const prefix = execWords(START);
/** GLib reads %% as % only when it starts something. */
const AHEAD = START.map((word) => word.replaceAll('%', '%%'));
const copied = (bytes: string): string => rewrite(bytes, { prefix, gateway: '10.0.2.1%eth1', origin: 'app.desktop' });

for (const [name, text] of Object.entries(tricky)) {
  test(`an entry's copy: ${name}`, (t) => {
    const bytes = bytesOf(text);
    const [before, after] = readByGlib([bytes, copied(bytes)]);
    t.truthy(before);
    t.deepEqual(
      commandsOf(after!),
      commandsOf(before!).map((argv) => [...AHEAD, ...argv!]),
    );
    t.true(commandsOf(after!).length > 0);
    for (const [group, keys] of Object.entries(before!)) {
      const main = group === 'Desktop Entry';
      const { argv: _, ...others } = after![group]!;
      const expected = Object.fromEntries(
        Object.entries(keys).flatMap(([key, value]) => {
          if (key === 'argv') return [];
          if (key.startsWith('Exec')) return [[key, `${prefix} ${(value as string).replace(/ +$/, '')}`]];
          if (!main) return [[key, value]];
          const name = /^Name(\[|$)/.test(key);
          return [[key, name ? `${(value as string).replace(/ +$/, '')} (via 10.0.2.1%eth1)` : value]];
        }),
      );
      const ours = { DBusActivatable: 'false', 'X-Via-Gateway': '10.0.2.1%eth1', 'X-Via-Entry': 'app.desktop' };
      const trimmed = Object.fromEntries(
        Object.entries(others).map(([key, value]) => [key, String(value).replace(/ +$/, '')]),
      );
      t.deepEqual(trimmed, main ? { ...expected, ...ours } : expected, group);
    }
    t.is(readEntry(copied(bytes))?.gateway, '10.0.2.1%eth1');
    t.is(readEntry(copied(bytes))?.origin, 'app.desktop');
  });

  test(`the bytes that are not meant stay: ${name}`, (t) => {
    const bytes = bytesOf(text);
    const back = copied(bytes)
      .replaceAll(`${prefix} `, '')
      .replaceAll(' (via 10.0.2.1%eth1)', '')
      .replace(/^X-Via-\w+=.*\r?\n/gm, '');
    // In the originals that have it, it is true.
    t.is(
      text.includes('DBus')
        ? back.replace('DBusActivatable=false', 'DBusActivatable=true')
        : back.replace(/DBusActivatable=false\r?\n/, ''),
      bytes,
    );
  });
}

test('bytes that are no UTF-8 stay', (t) => {
  const bytes = '[Desktop Entry]\nType=Application\nName=\xe9t\xe9\nExec=x "\xff\xa0"\xa0\nComment=\xa0\n';
  const back = copied(bytes).replace(`${prefix} `, '').replace(' (via 10.0.2.1%eth1)', '');
  t.true(back.endsWith(bytes.slice('[Desktop Entry]\n'.length)));
});

test('for any command that GLib can read, its words come behind those of via', (t) => {
  const pieces = `" ' \\ \\\\ \\\\\\\\ $ \` % %% %u %F %i %c %k \\s # = a é \xff - -- ; & | [ ] ~ ( \\n \\t ""`.split(
    ' ',
  );
  const piece = fc.constantFrom(' ', '\t', '" "', ...pieces);
  const command = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    fc.string(),
  );
  const samples = fc
    .sample(command, 3000)
    .map((text) => bytesOf(text).replace(/[\n\0]/g, ''))
    .map((text) => `[Desktop Entry]\nType=Application\nName=A\nExec=x${text}\n`);
  const before = readByGlib(samples);
  const after = readByGlib(samples.map(copied));
  let count = 0;
  before.forEach((groups, i) => {
    const [argv] = commandsOf(groups);
    if (argv === null || argv === undefined) return;
    count += 1;
    t.deepEqual(commandsOf(after[i]!), [[...AHEAD, ...argv]], JSON.stringify(samples[i]));
  });
  t.log(`${count} of ${samples.length} commands`);
  t.true(count > 1000);
});

test('any words of via come out as they are', (t) => {
  const words = fc.sample(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 }), 1000);
  const good = words
    .map((list) => list.map((word) => word.replace(/[\0-\x1f\ud800-\udfff]/g, '')))
    .filter(([first]) => first !== '');
  const texts = good.map((list) => `[Desktop Entry]\nExec=${execWords(['x', ...list])}\n`);
  readByGlib(texts).forEach((groups, i) => {
    const expected = ['x', ...good[i]!].map((word) => bytesOf(word.replaceAll('%', '%%')));
    t.deepEqual(commandsOf(groups), [expected], texts[i]!);
  });
});

test('a key that KDE expands is a command as well', (t) => {
  const text = '[Desktop Entry]\nType=Application\nName=Kde\nExec[$e]=kde $HOME\nExec=kde\n';
  t.is(copied(text).split(`=${prefix} kde`).length, 3);
});

test('paths that no menu could start', (t) => {
  for (const path of ['/opt/a=b/via', '/opt/a%b/via', '/opt/a\nb/via', '/opt/\ufffd/via']) t.false(isProgramPath(path));
  for (const path of ['/usr/local/bin/via', '/opt/a b/via', '/opt/$x"/via', '/opt/é/via']) t.true(isProgramPath(path));
});
