import test from 'ava';
import { makeLab, type Lab } from '../helpers/lab.js';
import { quiet } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { snapshot } from '../helpers/snapshot.js';

/** What somebody does to a group that is used. */
const meddling: Record<string, string> = {
  'the firewall is flushed': 'nft flush ruleset',
  'our table is deleted': 'nft delete table inet via',
  'its rules are flushed': 'nft flush table inet via',
  'one of its chains is changed':
    'nft flush chain inet via guard; nft add chain inet via stranger; nft add rule inet via guard jump stranger',
  'its sets are emptied': 'nft flush set inet via lan4; nft flush map inet via guard_of_mark',
  'our rules are deleted': 'for f in -4 -6; do ip $f rule del pref $(ip $f rule | sed -n "s/:.*fwmark.*//p"); done',
  'our table of routes is emptied':
    'for f in -4 -6; do ip $f route flush table $(ip rule | sed -n "s/.*fwmark.*lookup \\([0-9]*\\).*/\\1/p"); done',
  'a route of ours is replaced':
    'ip route replace default via 10.0.1.1 dev c1 table $(ip rule | sed -n "s/.*fwmark.*lookup \\([0-9]*\\).*/\\1/p") proto 118',
  'somebody else puts a route in our table':
    'ip route add 192.0.2.0/24 dev c1 table $(ip rule | sed -n "s/.*fwmark.*lookup \\([0-9]*\\).*/\\1/p") proto 118',
  'our records are removed': 'rm /run/via/group-*',
  'all files of ours are removed': 'rm /run/via/lock /run/via/group-*',
  'the lock is removed': 'rm /run/via/lock',
  'a record is cut off': 'for f in /run/via/group-*; do : >$f; done',
  'a record is nonsense': 'for f in /run/via/group-*; do head -c 300 /dev/urandom >$f; done',
  'net_cls is unmounted': 'umount /run/via/net_cls || umount -l /run/via/net_cls',
  'net_cls is mounted once more':
    'mkdir /run/more; mount -t cgroup -o net_cls x /run/more || mount -t cgroup -o net_cls,net_prio x /run/more',
  'the device goes down': 'ip link set c2 down',
  'the device goes away': 'ip link del c2',
  'the device goes by another name': 'ip link set c2 down; ip link set c2 name c9; ip link set c9 up',
  'the address changes': 'ip address flush dev c2; ip address add 10.0.2.99/24 dev c2',
  'a child group is made, and stays empty': 'mkdir $(ls -d /run/via/net_cls/via-*)/child',
};

const traces = /"protocol":"118"|proto 118|inet via|\/via-|\/run\/via[^'"]|^via$/m;

const parts = async (lab: Lab) =>
  Object.entries(await snapshot(lab)).flatMap(([part, text]) => (traces.test(text) ? [part] : []));

for (const [what, script] of Object.entries(meddling))
  test.serial(`nothing of a group is left at its end: ${what}`, async (t) => {
    for (const isKilled of [false, true]) {
      const lab = await makeLab(t, { servers: false, rpFilter: { c1: 1 } });
      const user = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
      await user.waitFor(/in/);
      t.is((await parts(lab)).length, 9);
      if (isKilled) user.kill('SIGKILL');
      else await lab.sh('client', script);
      user.stdin.end();
      const { stderr } = await user.done;
      await quiet(lab);
      if (isKilled) await lab.sh('client', script);
      const sweep = isKilled ? await lab.via(['sweep']) : { stderr: '' };
      t.deepEqual([stderr, sweep.stderr], ['', '']);
      t.deepEqual(await parts(lab), [], isKilled ? 'by a sweep' : 'when it leaves');
      await lab.end();
    }
  });
