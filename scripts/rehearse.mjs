// Plays a join and a leave against a system of paper, so that V8 compiles what they need. The bundle's code cache, made
// afterwards, then holds these functions: a launch starts some milliseconds sooner. What else it holds has to be read by
// every launch: with what makes a group in it, a join takes 1 ms more, and the first launch only 2 ms less.
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const real = createRequire(import.meta.url);
const UUID = '00000000-0000-4000-8000-000000000000';
const NAMESPACE = 'net:[1]';
const FD = 99;

const lines = (...lists) => lists.map((list) => `${JSON.stringify(list)}\n`).join('');
const link = (ifindex, ifname) => ({ ifindex, ifname, mtu: 1500, flags: ['BROADCAST', 'UP', 'LOWER_UP'] });
const connected = (dst, dev) => ({ dst, dev, protocol: '2', scope: '253', metric: 256, flags: [] });
const ip4 = lines(
  [{ priority: 0, src: 'all', table: '255' }],
  [connected('10.0.1.0/24', 'a'), connected('10.0.2.0/24', 'b'), { dst: 'default', gateway: '10.0.1.1', dev: 'a' }],
  [{ dst: '10.0.2.1', dev: 'b', lladdr: '02:00:00:00:00:01', state: ['REACHABLE'] }],
  [link(2, 'a'), link(3, 'b')],
);
const ip6 = lines(
  [{ priority: 0, src: 'all', table: '255' }],
  [connected('fd01::/64', 'a'), { dst: 'default', gateway: 'fd01::1', dev: 'a' }],
);
const rule = (chain, comment) => ({ rule: { family: 'inet', table: 'via', chain, comment, expr: [] } });
const listing = JSON.stringify({
  nftables: [
    { table: { family: 'inet', name: 'via' } },
    { counter: { name: 'stopped_1', packets: 0 } },
    { set: { name: 'marks', elem: [16777216] } },
    { set: { name: 'lan4', elem: [{ concat: ['a', { prefix: { addr: '10.0.1.0', len: 24 } }] }] } },
    { map: { name: 'set_of_mark', elem: [[16777216, { goto: { target: 'set_1' } }]] } },
    { chain: { name: 'guard_1' } },
    { chain: { name: 'guard', type: 'filter', hook: 'postrouting', prio: 300 } },
    rule('guard_1', `x.0 ${UUID}`),
    rule('new_1', 'x.0 4=10.0.2.1%b 6=refuse'),
  ],
});

/** Answers the jobs of the shell script it is given, in the order of their pipes. */
function spawnSync(command, args, { input = '', stdio = [] }) {
  const output = Array.from(stdio, () => '');
  const jobs = [...input.matchAll(/^(ip -\d|\S+) .*?>&(\d)/gm)];
  for (const [, name, fd] of jobs) output[Number(fd)] = { 'ip -4': ip4, 'ip -6': ip6, nft: listing }[name] ?? '';
  output[1] = jobs.map(() => '0\n').join('');
  return { status: 0, output };
}

function spawn() {
  const child = Object.assign(new EventEmitter(), { pid: 1, exitCode: null, signalCode: null });
  setImmediate(() => child.emit('exit', 0, null));
  return child;
}

/** Files of paper: what is read is made up, what is written goes nowhere. `state` is that of a group in order. */
function paperFiles(state) {
  const texts = {
    mountinfo: '1 1 0:1 / /run/via/net_cls rw - cgroup via rw,net_cls\n',
    cgroups: 'net_cls\t0\t1\t1\n',
    // Another via is in, so that ours may just leave.
    'cgroup.procs': '2\n',
    cmdline: 'node\0--v8-pool-size=1\0via\0',
    'net_cls.classid': String(0x76690001),
    lock: '',
    rp_filter: '1\n',
    [`intact-${UUID}`]: state,
    [`group-${UUID}`]: JSON.stringify({
      asked: '10.0.2.1 ipv4=refuse ipv6=refuse lan=true',
      namespace: NAMESPACE,
      key: '4=10.0.2.1%b 6=refuse',
      firewall: 'nft',
    }),
  };
  const folders = {
    '/run/via': [`group-${UUID}`, `intact-${UUID}`],
    '/run/via/net_cls': [`via-${UUID}`],
  };
  const nothing = () => undefined;
  let opened = '';
  return {
    ...fs,
    readFileSync: (path) =>
      texts[
        String(path === FD ? opened : path)
          .split('/')
          .at(-1)
      ] ?? '0\n',
    readdirSync: (path) => folders[path] ?? [],
    readlinkSync: () => NAMESPACE,
    lstatSync: () => ({ ino: 1, uid: 0, mode: 0o40700, isDirectory: () => true }),
    fstatSync: () => ({ ino: 1 }),
    existsSync: () => true,
    openSync: (path) => {
      opened = path;
      return FD;
    },
    closeSync: nothing,
    mkdirSync: nothing,
    rmdirSync: nothing,
    unlinkSync: nothing,
    writeFileSync: nothing,
    writeSync: (_, data) => data.length,
  };
}

/**
 * Has `main`, the bundle's function, join a group that is in order. What that looks like as a text is known from a play
 * with `draft`, the same function compiled for nothing else; a play that stops early leaves the cache a bit thinner.
 */
export async function rehearse(draft, main) {
  const { join } = Array.prototype;
  let state = '';
  Array.prototype.join = function (...words) {
    const text = join.apply(this, words);
    if (/^[\da-f]{8}\n\/run\/via\/net_cls\n/.test(text)) state = text;
    return text;
  };
  try {
    await play(draft, '');
  } finally {
    Array.prototype.join = join;
  }
  await play(main, state);
}

async function play(main, state) {
  await new Promise((resolve) => {
    const fake = Object.create(process, {
      argv: { value: ['node', 'via', '10.0.2.1', '--', 'true'] },
      env: { value: {} },
      geteuid: { value: () => 0 },
      on: { value: () => fake },
      exit: { value: resolve },
    });
    const parts = { fs: paperFiles(state), child_process: { spawn, spawnSync } };
    const module = { exports: {} };
    main(module.exports, (name) => parts[name.replace('node:', '')] ?? real(name), module, '', '', fake);
    setTimeout(resolve, 500);
  });
}
