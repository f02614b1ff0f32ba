import test from 'ava';
import { help, version } from '../../src/cli/help.js';
import { isBuilt, OPTIONS, USAGE, WORDS } from '../../src/cli/options.js';
import { parse } from '../../src/cli/parse.js';

test('--help fits a terminal of 24 lines by 80 columns', async (t) => {
  const lines = (await help()).split('\n');
  t.true(lines.length <= 24, `${lines.length} lines`);
  for (const line of lines) t.true(line.length <= 80, line);
});

test('--help names every option with its description, and every word that one may type', async (t) => {
  const text = await help();
  for (const { name, short, describe, values = [], takes, default: value, internal } of OPTIONS) {
    if (internal === true) {
      t.false(text.includes(`--${name}`));
      continue;
    }
    const line = text.split('\n').find((one) => one.includes(` --${name} `))!;
    t.true(line.includes(describe), name);
    t.is(line.includes(` -${short}, `), short !== undefined, name);
    const named = /--[\w-]+ ([A-Z]*)/.exec(line)?.[1];
    t.is(named, takes?.toUpperCase() ?? '', name);
    for (const one of values) t.true(line.includes(one === value ? `${one} (default)` : one));
  }
  const words = /^Words: (.*)$/m.exec(text)![1]!.split(' ');
  t.deepEqual(
    words,
    WORDS.filter((word) => isBuilt(word) && !word.internal).map(({ name }) => name),
  );
  t.deepEqual(
    WORDS.filter(({ internal }) => internal).map(({ name }) => name),
    ['keep'],
  );
});

test('--help has usage, three examples that parse, and the exit status', async (t) => {
  const text = await help();
  t.true(text.startsWith('Usage: via [options] <gateway> [options] [--] <command> [args...]\n       via <word> ... '));
  t.regex(text, /^Exit status: .*127.*126.*125/m);
  const examples = text.match(/^ {2}via .*?(?= {2})/gm)!.map((line) => line.trim().split(' '));
  t.is(examples.length, 3);
  for (const [, ...argv] of examples) t.is(parse(argv).word, 'launch');
});

test('help for a word: how to call it and what it does', async (t) => {
  for (const word of WORDS.filter(isBuilt)) {
    const text = await help(word.name);
    t.is(text.replace(/\n +\|/g, ' |'), `Usage: via ${word.usage}\n\n${word.describe}`);
    for (const line of text.split('\n')) t.true(line.length <= 80, line);
  }
  t.regex(await help('run'), /^Usage: via run \[options\]/);
  t.regex(await help('desktop'), /\n +\| --remove \[gateway\] <app>\.\.\.\n/);
});

test('--version is one line', (t) => t.regex(version(), /^via \S.*$/));

test('the table: names and letters are unique, every field of a launch has its row', (t) => {
  const names = [...OPTIONS.map(({ name }) => name), ...OPTIONS.flatMap(({ short }) => short ?? [])];
  t.is(new Set(names).size, names.length);
  t.is(new Set(WORDS.map(({ name }) => name)).size, WORDS.length);
  for (const { name, short, values, takes, default: value } of OPTIONS) {
    t.regex(name, /^[a-z][a-z0-9-]+$/);
    t.true(
      short === undefined || (/^[A-Za-z]$/.test(short) && values === undefined && takes === undefined),
      'cut reads short flags only',
    );
    t.true(values === undefined || values.includes(String(value)));
  }
  const fields = OPTIONS.flatMap(({ field }) => field ?? []);
  t.deepEqual([...fields].sort(), [
    'dryRun',
    'elevate',
    'exec',
    'firewall',
    'ipv4',
    'ipv6',
    'lan',
    'notify',
    'quiet',
    'user',
    'verbose',
  ]);
});

test('all reserved words are there', (t) => {
  const reserved =
    'status attach detach up down check doctor dns desktop alias completion sweep keep help version run list ls config none self';
  t.deepEqual(WORDS.map(({ name }) => name).sort(), reserved.split(' ').sort());
  t.regex(USAGE, /^via /);
});
