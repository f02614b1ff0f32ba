import test from 'ava';
import { launchWords } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { fixture, python } from '../helpers/paths.js';
import { probeCommand } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { far } from '../helpers/topology.js';

/** A port that a member and then a program outside send from. */
const localPort = 7123;
const TIMES = 8;
const families = ['v4', 'v6'] as const;

/** Ends a command's group, and asks at once from outside, by a datagram with the same ends; gives the answers. */
async function askAfter(lab: Lab, words: string[], command: string, address: string, device = '-'): Promise<string[]> {
  const via = launchWords([...words, '--', 'sh', '-c', command]);
  const script = [...python, fixture('after.py'), address, String(localPort), device, String(TIMES), ...via];
  return (await lab.sh('client', script.map((word) => `'${word}'`).join(' '))).trim().split('\n');
}

const member = (address: string): string => probeCommand('udp', { address, localPort }).join(' ');

/** The second guard comes after a moment, and goes a moment after the group. */
const guarded = 'until nft list table inet via_guard >/dev/null 2>&1; do sleep 0.05; done';

for (const family of families) {
  const address = far[family];
  test.serial(`${family}: after a group of two routers on one link, a datagram from outside is sent`, async (t) => {
    const lab = await makeLab(t);
    const seen = await askAfter(lab, ['10.0.1.3,fd01::3'], `${member(address)}; ${guarded}`, address);
    t.deepEqual(seen, Array(TIMES).fill(`g1 ${localPort}`));
  });

  for (const [how, more] of [
    ['at once', ''],
    ['after the second guard was there', `; ${guarded}`],
  ] as const)
    test.serial(`${family}: a program that names the group's device sends from its port, ${how}`, async (t) => {
      const lab = await makeLab(t);
      await lab.sh('client', 'ip route add default via 10.0.2.1 dev c2 metric 200');
      await lab.sh('client', 'ip -6 route add default via fd02::1 dev c2 metric 2000');
      const seen = await askAfter(lab, ['10.0.2.1,fd02::1'], `${member(address)}${more}`, address, 'c2');
      t.deepEqual(seen, Array(TIMES).fill(`g2 ${localPort}`));
    });
}

test.serial('connection tracking forgets what the group has sent, and nothing else', async (t) => {
  const lab = await makeLab(t);
  const other = await hold(lab, '10.0.1.3,fd01::3');
  // Entries of others: with the group's mark, and in its zone.
  const script = `
    ${member(far.v4)}; ${member(far.v6)}; ping -c 1 ${far.v4}
    set -- $(conntrack -L -p udp 2>/dev/null | sed -n 's/.*zone-orig=\\([0-9]*\\).* mark=\\([0-9]*\\).*/\\1 \\2/p' | head -n 1)
    add() { conntrack -I -p udp -t 300 -s 192.0.2.1 -d 192.0.2.2 --sport "$1" --dport 9 "$2" "$3"; }
    add 1 --mark "$2" && add 2 --orig-zone "$1" && add 3 --mark 77`;
  const { code, stderr } = await lab.via(['10.0.2.1,fd02::1', '--', 'sh', '-c', script]);
  t.is(code, 0, stderr);
  const listed = await lab.sh('client', 'conntrack -L 2>/dev/null; conntrack -L -f ipv6 2>/dev/null');
  const left = listed.split('\n').filter((line) => line.includes('zone-orig') || line.includes('192.0.2.1'));
  const ports = left.map((line) => / sport=(\d+) /.exec(line)?.[1]).sort();
  t.deepEqual(ports, ['1', '2', '3'], listed);
  await other.release();
});
