import test from 'ava';
import { makeLab, type LabOptions } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { viaBin } from '../helpers/paths.js';
import { refuses } from '../helpers/refused.js';

const launch = ['10.0.2.1', '--', 'echo', 'ran'];
const none = '--elevate=none';
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const lacking = (...names: string[]) => [
  'setpriv',
  `--bounding-set=${names.map((name) => `-${name}`).join(',')}`,
  `--inh-caps=${names.map((name) => `-${name}`).join(',')}`,
];

test.serial('not root', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const line = /^via: launch: not root \(leave out --elevate=none; with sudo the command is root's\)$/m;
  await refuses(t, lab, [none, ...launch], line, { by: nobody });
  await refuses(t, lab, [none, '-x', '--no-lan', ...launch], line, { by: nobody });
  await refuses(t, lab, ['sweep'], /^via: sweep: not root \(sudo via sweep\)$/m, { by: nobody });
  // What is wrong with the words comes first.
  await refuses(t, lab, ['10.0.2', '--', 'true'], /^via: gateway "10.0.2": /m, { by: nobody });
});

test.serial('not root, where a group is', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const script = `${nobody.join(' ')} ${viaBin} ${none} none -- true; echo $?; ${nobody.join(' ')} ${viaBin} ${none} 10.0.2.1 -- true; echo $?`;
  const { result, left } = await leaving(lab, () => lab.via(['10.0.2.1', '--', 'sh', '-c', script]));
  t.is(result.stdout, '125\n125\n');
  t.regex(result.stderr, /^via: none: leaving a group needs root\nvia: launch: not root .*\n$/);
  t.deepEqual(left, []);
});

/** What is missing, in which lab, and what via says. */
const missing: [string[], LabOptions, RegExp | undefined][] = [
  [['net_admin'], {}, /^via: firewall nft: .*not permitted.* \(via needs CAP_NET_ADMIN, and CAP_SYS_ADMIN to mount/m],
  [['net_admin'], { netCls: 'mounted' }, /^via: firewall nft: .*not permitted.* \(via needs CAP_NET_ADMIN/m],
  [
    ['sys_admin'],
    {},
    /^via: cgroup mount: .*(denied|not permitted|superuser).* \(via needs CAP_NET_ADMIN, and CAP_SYS_ADMIN/m,
  ],
  [['sys_admin'], { netCls: 'mounted' }, undefined],
  [['sys_ptrace', 'kill', 'sys_resource', 'setuid', 'dac_override'], {}, undefined],
  [['all'], {}, /^via: (firewall nft|routes ip): .*not permitted.* \(via needs CAP_NET_ADMIN/m],
  [['all'], { netCls: 'mounted' }, /^via: (firewall nft|routes ip): .*not permitted.* \(via needs CAP_NET_ADMIN/m],
];

test.serial('root without capabilities, as in a container', async (t) => {
  for (const [names, options, line] of missing) {
    const lab = await makeLab(t, { servers: false, ...options });
    const by = lacking(...names);
    const what = `without ${names.join()} ${JSON.stringify(options)}`;
    if (line !== undefined) await refuses(t, lab, launch, line, { by, what });
    else {
      const { result, left } = await leaving(lab, () => lab.run('client', [...by, viaBin, ...launch]));
      t.deepEqual([result.code, result.stdout, result.stderr], [0, 'ran\n', ''], what);
      t.deepEqual(left, [], what);
    }
    await lab.end();
  }
});

test.serial('a group cannot be made, or not joined', async (t) => {
  const lab = await makeLab(t, { servers: false, netCls: 'mounted' });
  const by = lacking('dac_override');
  await lab.sh('client', 'chmod 555 /sys/fs/cgroup/net_cls');
  await refuses(
    t,
    lab,
    launch,
    /^via: cgroup \/sys\/fs\/cgroup\/net_cls\/via-\S+: cannot be made: permission denied$/m,
    { by },
  );
});

/** /proc/cgroups as other kernels have it. */
const kernels: Record<string, [cgroups: string, line: RegExp]> = {
  'no net_cls in the kernel': [
    'cpu\\t0\\t1\\t1',
    /^via: cgroup net_cls: not in this kernel \(the kernel needs CONFIG_CGROUP_NET_CLASSID, and no cgroup_no_v1=net_cls or =all at its start\)$/m,
  ],
  'cgroup_disable=net_cls': [
    'net_cls\\t0\\t1\\t0',
    /^via: cgroup net_cls: disabled \(.*CONFIG_CGROUP_NET_CLASSID.*cgroup_no_v1/m,
  ],
  // The kernel then takes net_cls for no option it knows; here this one is given another that it does not.
  'cgroup_no_v1=net_cls': [
    'net_cls\\t7\\t1\\t1\\nnonsense\\t7\\t1\\t1',
    /^via: cgroup mount: .*wrong fs type, bad option.*\(.*CONFIG_CGROUP_NET_CLASSID.*cgroup_no_v1/m,
  ],
};

for (const [what, [cgroups, line]] of Object.entries(kernels))
  test.serial(what, async (t) => {
    const lab = await makeLab(t, { servers: false });
    const head = '#subsys_name\\thierarchy\\tnum_cgroups\\tenabled\\n';
    await lab.sh('client', `printf '${head}${cgroups}\\n' >/run/cgroups; mount --bind /run/cgroups /proc/cgroups`);
    await refuses(t, lab, launch, line, { what });
  });
