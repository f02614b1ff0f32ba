import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { parse } from '../../src/cli/parse.js';
import { quote } from '../../src/plan/render.js';
import { viaBin } from '../helpers/paths.js';

const [reads] = /^via_execs\(\) \{\n.*?^\}$/ms.exec(readFileSync(viaBin, 'utf8')) ?? [];

/** For each command line, whether the launcher takes it for one with -x. */
function launcherSees(lines: string[][]): boolean[] {
  const calls = lines.map((argv) => `via_execs ${argv.map(quote).join(' ')} && echo yes || echo no`);
  const output = execFileSync('sh', { input: `${reads}\n${calls.join('\n')}\n`, encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .map((word) => word === 'yes');
}

/** Whether it is one; undefined where it is refused, or only prints. */
function isOne(argv: string[]): boolean | undefined {
  try {
    const request = parse(argv);
    return request.word === 'launch' || request.word === 'none'
      ? request.options.exec && !request.options.dryRun
      : undefined;
  } catch {
    return undefined;
  }
}

const word = fc.constantFrom(
  ...'-x --exec --notify -v -vx -xv -xV -xh -h --help --version --dry-run --no-lan --ipv4 --ipv6=allow allow --firewall nft --elevate sudo --user --user=-x'.split(
    ' ',
  ),
  ...'--firewall=iptables -- - run none sweep help version keep 10.0.0.1 wg0 echo a=b --exec=1 --verbose'.split(' '),
  '',
  'two words',
);

test('the launcher and the parser agree on what -x is', (t) => {
  const lines = fc.sample(fc.array(word, { maxLength: 8 }), 20_000);
  const seen = launcherSees(lines);
  t.is(seen.length, lines.length);
  let count = 0;
  lines.forEach((argv, i) => {
    const expected = isOne(argv);
    if (expected === undefined) return;
    count += 1;
    t.is(seen[i], expected, JSON.stringify(argv));
  });
  t.log(`${count} command lines`);
  t.true(count > 1000 && seen.some((one) => one));
});
