import test, { type ExecutionContext } from 'ava';
import { classicCommand } from '../helpers/classic.js';
import { launchWords, seesAll, withClassic } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { sniff } from '../helpers/sniff.js';

/** Where each of these goes: the device and the source, or nowhere. */
type Ways = Record<string, string>;

const nowhere = 'nowhere EPERM';
/** Without a device that the program names, the kernel picks that of main's source, which iptables cannot change. */
const byB = seesAll() ? 'c2 10.0.2.2 sent' : nowhere;

const rows: { by: string[]; ways: Ways }[] = [
  {
    by: ['10.0.2.1,fd02::1'],
    ways: {
      '239.1.2.3': byB,
      '224.0.0.251': byB,
      '255.255.255.255': byB,
      '239.1.2.3%c1': byB,
      '239.1.2.3%c2': 'c2 10.0.2.2 sent',
      '10.0.2.255': 'c2 10.0.2.2 sent',
      // Of a connected network.
      '10.0.1.255': 'c1 10.0.1.2 sent',
      // Of the link.
      'ff02::fb%c1': 'c1 fe80::1:2 sent',
      'ff05::1:3%c2': 'c2 fd02::2 sent',
      'ff05::1:3%c1': nowhere,
      'ff05::1:3': nowhere,
    },
  },
  {
    by: ['--no-lan', '10.0.2.1,fd02::1'],
    ways: {
      '239.1.2.3': byB,
      '239.1.2.3%c2': 'c2 10.0.2.2 sent',
      '10.0.2.255': 'c2 10.0.2.2 sent',
      '10.0.1.255': nowhere,
      'ff02::fb%c2': 'c2 fe80::2:2 sent',
      'ff02::fb%c1': nowhere,
    },
  },
  {
    by: ['10.0.1.3,fd01::3'],
    ways: {
      '239.1.2.3': 'c1 10.0.1.2 sent',
      '255.255.255.255': 'c1 10.0.1.2 sent',
      '10.0.1.255': 'c1 10.0.1.2 sent',
      'ff05::1:3': 'c1 fd01::2 sent',
      'ff05::1:3%c2': nowhere,
    },
  },
  { by: ['tun0'], ways: { '239.1.2.3': seesAll() ? 'tun0 10.0.4.2 sent' : nowhere, 'ff05::1:3': nowhere } },
];

/** Both guards look at what is sent. */
const guarded = 'until nft list table inet via_guard >/dev/null 2>&1; do sleep 0.05; done';

/** Sends to each of these addresses; gives what passed which device, and what the program was told. */
async function sendTo(lab: Lab, addresses: readonly string[], by: (argv: string[]) => string[]): Promise<Ways> {
  const devices = ['c1', 'c2'] as const;
  const captures = await Promise.all(devices.map((device) => sniff(lab, 'client', device, 'udp port 7600')));
  const tun = await sniff(lab, 'client', 'tun0', 'udp port 7600', { marker: '10.0.4.1' });
  const script = `[ "$1" = classic ] || { ${guarded}; }; shift; exec "$@"`;
  const argv = ['sh', '-c', script, 'sh', by === classic ? 'classic' : 'via'];
  const { stdout } = await lab.run('client', by([...argv, ...python, fixture('many.py'), ...addresses]));
  const told = stdout.trim().split('\n');
  const lines = [...(await Promise.all(captures.map((one) => one.stop()))), await tun.stop()];
  const seen = lines.flatMap((list, i) => list.map((line) => `${['c1', 'c2', 'tun0'][i]} ${line}`));
  return Object.fromEntries(
    addresses.map((word, i) => {
      const [address = ''] = word.split('%');
      const sent = seen.filter((line) => line.includes(` > ${address}.7600: `) && line.includes(`length ${20 + i}`));
      const ways = sent.map((line) => line.replace(/^(\S+) .* IP6? (\S+)\.\d+ > .*$/, '$1 $2'));
      return [word, `${ways.join(', ') || 'nowhere'} ${told[i]}`];
    }),
  );
}

const classic = (argv: string[]): string[] => classicCommand('g2', argv);

for (const { by, ways } of rows)
  test.serial(`${by.join(' ')}: what is for many leaves by the gateway's device, or not at all`, async (t) => {
    const lab = await makeLab(t, { servers: false, tun: true });
    const seen = await sendTo(lab, Object.keys(ways), (argv) => launchWords([...by, '--', ...argv]));
    t.deepEqual(seen, ways);
  });

if (withClassic())
  test.serial("the classic recipe sends it by main's device", async (t: ExecutionContext) => {
    const lab = await makeLab(t, { servers: false, tun: true });
    const seen = await sendTo(lab, ['239.1.2.3', 'ff05::1:3'], classic);
    t.deepEqual(seen, { '239.1.2.3': 'c1 10.0.1.2 sent', 'ff05::1:3': 'c1 fd01::2 sent' });
  });
