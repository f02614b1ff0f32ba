import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { refuses } from '../helpers/refused.js';
import { without } from '../helpers/tools.js';

const launch = ['10.0.2.1', '--', 'echo', 'ran'];

const missing: [string, RegExp][] = [
  // One of the two will do.
  ['nft iptables-nft-restore iptables-legacy-restore', /^via: firewall nft: not found \(install nftables\)$/m],
  ['ip', /^via: routes ip: not found \(install iproute2\)$/m],
  ['mount', /^via: cgroup mount: not found \(install mount\)$/m],
  ['flock', /^via: lock flock: not found \(install util-linux\)$/m],
];

test.serial('a tool that is not installed', async (t) => {
  const lab = await makeLab(t, { servers: false });
  for (const [tool, line] of missing) await refuses(t, lab, launch, line, { by: without(tool), what: tool });
});

/** All but so many more files than there are. */
const roomFor = (files: number) =>
  `mount -o remount,nr_inodes=$(($(df --output=iused /run | tail -1) + ${files})) /run`;
const notADirectory = /^via: directory \/run\/via: not a directory that only root can write \(remove it\)$/m;

/** What is done to the system, and what via says. */
const broken: Record<string, [script: string, line: RegExp]> = {
  '/run is read-only': [
    'mount --rbind /run /run; mount -o remount,ro,bind /run',
    /^via: file \/run\/via: read-only file system \(via needs a writable \/run\)$/m,
  ],
  '/run/via is read-only': [
    'mkdir -m 700 /run/via; mount --bind /run/via /run/via; mount -o remount,ro,bind /run/via',
    /^via: file \/run\/via\/lock: read-only file system \(via needs a writable \/run\)$/m,
  ],
  '/run is full': [roomFor(0), /^via: file \/run\/via: no space left on device \(via needs a writable \/run\)$/m],
  'room for a directory only': [roomFor(1), /^via: file \/run\/via\/lock: no space left on device \(via needs/m],
  'no room for a mount point': [roomFor(3), /^via: file \/run\/via\/net_cls: no space left on device \(via needs/m],
  'no room for a record': [roomFor(2), /^via: file \/run\/via\/group-\S+: no space left on device \(via needs/m],
  '/run/via is a file': ['echo text >/run/via', notADirectory],
  '/run/via is a link': ['mkdir /run/elsewhere; ln -s elsewhere /run/via', notADirectory],
  '/run/via is a link that leads nowhere': ['ln -s nowhere /run/via', notADirectory],
  "/run/via is another user's": ['mkdir -m 700 /run/via; chown 65534 /run/via', notADirectory],
  'everybody can write to /run/via': ['mkdir /run/via; chmod 777 /run/via', notADirectory],
  'the lock is a link': [
    'mkdir -m 700 /run/via; ln -s /etc/passwd /run/via/lock',
    /^via: file \/run\/via\/lock: a symbolic link \(remove it\)$/m,
  ],
  '/proc/sys is read-only, and a filter drops the answers': [
    `echo 1 >/proc/sys/net/ipv4/conf/c2/rp_filter
    mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys`,
    /^via: sysctl \/proc\/sys\/net\/ipv4\/conf\/c2\/src_valid_mark: read-only file system \(set it to 1 outside, or turn rp_filter off on c2\)$/m,
  ],
};

for (const [what, [script, line]] of Object.entries(broken))
  test.serial(what, async (t) => {
    const lab = await makeLab(t, { servers: false });
    await lab.sh('client', script);
    await refuses(t, lab, launch, line, { what });
  });

const working: Record<string, string> = {
  '/proc/sys is read-only, and nothing has to be written': '',
  '/proc/sys is read-only, and src_valid_mark is right already': `
    echo 1 >/proc/sys/net/ipv4/conf/c2/rp_filter; echo 1 >/proc/sys/net/ipv4/conf/c2/src_valid_mark`,
};

for (const [what, script] of Object.entries(working))
  test.serial(what, async (t) => {
    const lab = await makeLab(t, { servers: false });
    await lab.sh('client', `${script}\nmount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys`);
    const { result, left } = await leaving(lab, () => lab.via(launch));
    t.deepEqual([result.code, result.stdout, result.stderr], [0, 'ran\n', '']);
    t.deepEqual(left, []);
  });
