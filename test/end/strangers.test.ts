import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { brief, leaving, quiet } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { diff, snapshot } from '../helpers/snapshot.js';

const hierarchy = '/sys/fs/cgroup/net_cls';
const uuid = '01234567-89ab-4cde-8f01-23456789abcd';

/** What somebody else made before us, with names and numbers as near to ours as can be. */
const strangers: Record<string, string> = {
  'tables of our name in other families': `
    nft add table ip via; nft add chain ip via guard '{ type filter hook output priority 300; }'
    nft add table ip6 via; nft add table netdev via; nft add table bridge via; nft add table inet via2`,
  'chains and sets of our names': `
    nft add table inet other; nft add chain inet other guard_68; nft add set inet other marks '{ type mark; }'
    iptables -t mangle -N via; iptables -t mangle -A OUTPUT -j via`,
  'routes in our tables': `
    for n in $(seq 7001 7128); do echo "route add 198.51.100.$((n - 7000))/32 dev c1 table $n"; done | sed 100q | ip -batch -
    ip -6 route add unreachable default table 7120`,
  'routes of ours by all but their number': 'ip route add 198.51.100.0/24 dev c2 table 7068 metric 7',
  'rules at our preferences': `
    for n in $(seq 501 560); do echo "rule add pref $n fwmark 0x2a lookup 42"; done | ip -batch -
    ip -6 rule add pref 600 from fd01::7 lookup main`,
  'rules that look at our marks': 'ip rule add pref 100 fwmark 0x44000000/0xff000000 lookup main',
  'groups named like ours, empty': `
    mkdir ${hierarchy}/via-something-else ${hierarchy}/via- ${hierarchy}/via ${hierarchy}/via-${uuid}-old
    echo 0x00100001 >${hierarchy}/via-something-else/net_cls.classid; mkdir -p ${hierarchy}/via-else/child`,
  'a group named as ours would be, with a class id of another': `
    mkdir ${hierarchy}/via-${uuid}; echo 0x00100001 >${hierarchy}/via-${uuid}/net_cls.classid`,
  'a group with our class id': `
    mkdir ${hierarchy}/other; echo 1986592836 >${hierarchy}/other/net_cls.classid`,
  'files in /run/via': `
    mkdir -m 700 /run/via; echo mine >/run/via/notes; mkdir /run/via/group-directory /run/via/sysctl-1-c2
    echo mine >/run/via/group-mine; ln -s /etc/passwd /run/via/group-link; ln -s /nowhere /run/via/sysctl-7-c1`,
  'src_valid_mark of a device': 'echo 1 >/proc/sys/net/ipv4/conf/c1/src_valid_mark',
};

/** A list of rules is one line; the other two are what a launch changes. */
const expected = /^rules6? - \[|c2\/src_valid_mark:0$|'\/run\/via': No such/;

test.serial("somebody else's objects are left alone", async (t) => {
  const lab = await makeLab(t, { servers: false, netCls: 'mounted', rpFilter: { c2: 1 } });
  for (const script of Object.values(strangers)) await lab.sh('client', script);
  const untouched = await snapshot(lab);
  for (const words of [['10.0.2.1', '--', 'true'], ['10.0.2.1,fd02::1', '--', 'true'], ['sweep']]) {
    const { result, left } = await leaving(lab, () => lab.via(words));
    t.deepEqual([result.code, result.stderr], [0, ''], words[0]);
    t.deepEqual(left, [], words[0]);
  }
  const during = lab.start('client', [viaBin, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _']);
  await during.waitFor(/in/);
  const lost = diff(untouched, await snapshot(lab)).filter((line) => /^\w+ - /.test(line) && !expected.test(line));
  t.deepEqual(lost, []);
  during.kill('SIGKILL');
  during.stdin.end();
  await during.done;
  await quiet(lab);
  t.is((await lab.via(['sweep'])).stderr, '');
  t.deepEqual(brief(diff(untouched, await snapshot(lab))), []);
});

test.serial('a table of our name that is not ours is never touched; via says so', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const script of [
    'nft add table inet via',
    `nft add table inet via; nft add chain inet via guard '{ type filter hook postrouting priority 300; }'`,
    `nft add table inet via; nft add chain inet via guard_68; nft add rule inet via guard_68 counter comment '"not ours"'`,
  ]) {
    await lab.sh('client', script);
    const { result, left } = await leaving(lab, () => lab.via(['10.0.2.1', '--', 'echo', 'ran']));
    t.deepEqual([result.code, result.stdout], [125, '']);
    t.regex(result.stderr, /^via: firewall table inet via: [^\n]+\n$/);
    t.deepEqual(left, []);
    const sweep = await leaving(lab, () => lab.via(['sweep']));
    t.deepEqual([sweep.result.code, sweep.result.stderr, sweep.left], [0, '', []]);
    await lab.sh('client', 'nft delete table inet via');
  }
});
