import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { refused } from '../helpers/refused.js';

/** What a shell does before, or around, `via 10.0.2.1 -- sh -c 'echo ran'`, which is "$@". */
const hostile: Record<string, string> = {
  'no standard input': '"$@" <&-',
  'no standard error': '"$@" 2>&-',
  'only standard output': '"$@" <&- 2>&-',
  'standard error is full': '"$@" 2>/dev/full',
  'standard input is a directory': '"$@" </',
  'a working directory that is gone': 'd=$(mktemp -d); cd $d; rmdir $d; "$@"',
  'no HOME, no PATH to speak of': 'n=$(dirname $(command -v node)); unset HOME USER LOGNAME; PATH=$n:/usr/bin "$@"',
  'a hostile PATH': `d=$(mktemp -d /run/bad.XXXX)
    for tool in nft ip mount umount flock prlimit; do printf '#!/bin/sh\\necho $0 >>/run/hit\\n' >$d/$tool; chmod +x $d/$tool; done
    PATH=$d:$PATH "$@"; rm -r $d; cat /run/hit 2>/dev/null; rm -f /run/hit`,
  'umask 0777': 'umask 0777; "$@"',
  'umask 0': 'umask 0; "$@"',
  'few descriptors': 'ulimit -n 64; "$@"',
  'a small stack and no core': 'ulimit -s 1024; ulimit -c 0; "$@"',
  'small files only': 'ulimit -f 1; "$@"',
  'a strange locale': 'LC_ALL=xx_YY.nonsense LANG=zh_CN.UTF-8 LANGUAGE=tlh "$@"',
  'another time zone': 'TZ=:/nowhere "$@"',
  'variables of tools': 'NFT=x IPTABLES=x CDPATH=/tmp ENV=/nowhere BASH_ENV=/nowhere POSIXLY_CORRECT=1 IFS=x "$@"',
  'variables of Node': 'NODE_OPTIONS=--nonsense NODE_DEBUG=fs NODE_NO_WARNINGS=0 NODE_V8_COVERAGE=/nowhere "$@"',
  'a variable of 100 kB': 'X=$(head -c 100000 /dev/zero | tr "\\0" x); export X; "$@"',
  'many variables': 'i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); export V$i=value-$i; done; "$@"',
  'a nice value and an I/O class': 'nice -n 19 "$@"',
  'signals ignored': 'trap "" INT TERM HUP QUIT PIPE CHLD USR1; "$@"',
  'a session of its own': 'setsid -w "$@"',
  'a name with a space':
    'mkdir -p "/run/a b"; ln -s $1 "/run/a b/v i a"; shift; "/run/a b/v i a" "$@"; rm -r "/run/a b"',
};

const launch = [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo ran'];

async function around(lab: Lab, script: string) {
  return leaving(lab, () => lab.run('client', ['sh', '-c', script, 'around', ...launch]));
}

test.serial('surroundings that a launch does not mind', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c2: 1 } });
  for (const [what, script] of Object.entries(hostile)) {
    const { result, left } = await around(lab, script);
    const { code, stdout, stderr } = result;
    t.deepEqual([code, stdout], [0, 'ran\n'], `${what}: ${stderr}`);
    // dash says this of itself, whatever script it runs.
    t.is(stderr.replace(/^sh: 0: getcwd\(\) failed: .*\n/gm, ''), '', what);
    t.deepEqual(left, [], what);
  }
});

test.serial('no standard output, or one that is full', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const redirection of ['>&-', '>/dev/full', '<&- >&- 2>&-']) {
    const { result, left } = await around(lab, `"$@" ${redirection}; echo $?`);
    t.regex(result.stdout, /^[0-9]+\n$/, redirection);
    t.deepEqual(left, [], redirection);
    const dry = await lab.run('client', [
      'sh',
      '-c',
      `"$0" --dry-run 10.0.2.1 -- true ${redirection}; echo $?`,
      viaBin,
    ]);
    // Half a script is none.
    const full = redirection === '>/dev/full';
    t.is(dry.stdout, full ? '125\n' : '0\n', redirection);
    t.is(dry.stderr, full ? 'via: output standard output: no space left on device\n' : '', redirection);
  }
});

test.serial('an error that nobody can read is still 125', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const redirection of ['2>&-', '2>/dev/full', '<&- >&- 2>&-']) {
    const { result, left } = await leaving(lab, () =>
      lab.run('client', ['sh', '-c', `"$0" 10.0.9.1 -- true ${redirection}; echo $?`, viaBin]),
    );
    t.deepEqual([result.stdout, result.stderr, left], ['125\n', '', []], redirection);
  }
});

test.serial('standard error is a pipe that is full: the launch waits for its reader, and no longer', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const script =
    '{ head -c 65536 /dev/zero >&2; "$@" -v 10.0.2.1 -- true; } 2>&1 >&3 | { sleep 0.6; tail -c +65537 | tail -1; }';
  const { result, left } = await leaving(lab, () =>
    lab.run('client', ['bash', '-c', `exec 3>&1; ${script}`, 'around', viaBin]),
  );
  t.regex(result.stdout, /^# 10\.0\.2\.1: sent \d+ packets, .*\n$/);
  t.deepEqual(left, []);
});

test.serial('too little of something: one line, and nothing is left', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const few = await around(lab, 'ulimit -n 24; "$@"');
  refused(t, few.result, /^via: shell \/bin\/sh: too many open files$/m);
  t.deepEqual(few.left, []);
  const small = await around(lab, 'ulimit -f 0; "$@"');
  refused(t, small.result, /^via: file \/run\/via\/group-\S+: file too large/m);
  t.deepEqual(small.left, []);
  const many = await around(lab, '"$@" $(seq 1 20000)');
  t.deepEqual([many.result.stdout, many.left], ['ran\n', []]);
  const long = await leaving(lab, () => lab.via(['x'.repeat(100_000), '--', 'true']));
  refused(t, long.result, /^via: gateway "x/m);
});
