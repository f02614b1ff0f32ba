import test from 'ava';
import { makeLab, type LabOptions } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { snapshot } from '../helpers/snapshot.js';

const kinds: Record<string, string[]> = {
  'an IPv4 gateway': ['10.0.2.1'],
  'an IPv6 gateway': ['fd02::1'],
  'a link-local gateway': ['fe80::2:1%c2'],
  'a pair': ['10.0.2.1,fd02::1'],
  'a pair on two devices': ['10.0.2.1,fd01::3'],
  "a second router on main's LAN": ['10.0.1.3'],
  "a device with main's default": ['c1'],
  'a point-to-point device': ['tun0'],
  'no LAN': ['--no-lan', '10.0.2.1'],
  'IPv6 left alone': ['--ipv6=allow', '10.0.2.1'],
  'IPv4 left alone': ['--ipv4=allow', 'fd02::1'],
};

const labs: Record<string, LabOptions> = {
  'via mounts net_cls itself': {},
  'net_cls is mounted already': { netCls: 'mounted' },
  'strict rp_filter': { rpFilter: { all: 1 } },
  'loose rp_filter for all': { rpFilter: { all: 2 } },
  'no IPv6 addresses': { v6: false },
};

for (const [where, options] of Object.entries(labs))
  test.serial(`nothing is left: ${where}`, async (t) => {
    const lab = await makeLab(t, { servers: false, tun: true, ...options });
    for (const [kind, words] of Object.entries(kinds)) {
      if (options.v6 === false && /v6|link-local|pair|IPv4 left/i.test(kind)) continue;
      const { result, left } = await leaving(lab, () => lab.via([...words, '--', 'cat', '/proc/self/cgroup']));
      t.deepEqual([result.code, result.stderr], [0, ''], kind);
      t.regex(result.stdout, /net_cls[^:]*:\/via-[0-9a-f-]{36}$/m, kind);
      t.deepEqual(left, [], kind);
    }
  });

test.serial('strict rp_filter: the one sysctl that changes is put back, each for its own device', async (t) => {
  const lab = await makeLab(t, { servers: false, rpFilter: { c1: 1, c2: 1 } });
  const values = async () => {
    const { sysctls = '' } = await snapshot(lab);
    return [...sysctls.matchAll(/^ipv4\/conf\/(\w+)\/src_valid_mark:(\d)$/gm)].map(
      ([, name, value]) => `${name}=${value}`,
    );
  };
  const untouched = ['all=0', 'c1=0', 'c2=0', 'default=0', 'lo=0'];
  t.deepEqual(await values(), untouched);
  const users = ['10.0.2.1', '10.0.2.1', '10.0.1.3'].map((gateway) =>
    lab.start('client', [viaBin, gateway, '--', 'sh', '-c', 'echo in; read _']),
  );
  for (const user of users) await user.waitFor(/in/);
  const end = async (index: number) => {
    users[index]?.stdin.end();
    await users[index]?.done;
    return values();
  };
  t.deepEqual(await values(), ['all=0', 'c1=1', 'c2=1', 'default=0', 'lo=0']);
  t.deepEqual(await end(0), ['all=0', 'c1=1', 'c2=1', 'default=0', 'lo=0']);
  t.deepEqual(await end(1), ['all=0', 'c1=1', 'c2=0', 'default=0', 'lo=0']);
  t.deepEqual(await end(2), untouched);
});
