import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { classic } from './helpers/classic.js';
import { start } from './helpers/exec.js';
import { makeLab } from './helpers/lab.js';
import { footprint, traces } from './helpers/leftovers.js';
import { fixture } from './helpers/paths.js';
import { outside, probe, probeCommand, type Kind } from './helpers/probes.js';
import { localPty, pty } from './helpers/pty.js';
import { sniff } from './helpers/sniff.js';
import { diff, snapshot } from './helpers/snapshot.js';
import { client, far, gateways } from './helpers/topology.js';

const kinds: Kind[] = ['tcp', 'udp', 'ping'];
const families = [4, 6] as const;
const server = (name: string, ...addresses: string[]) => [process.execPath, fixture('server.mjs'), name, ...addresses];

test.serial('every gateway answers with its name and the source it saw', async (t) => {
  const lab = await makeLab(t, { tun: true });
  for (const kind of kinds)
    for (const family of families) {
      const how = `${kind} v${family}`;
      const v = `v${family}` as const;
      const main = await probe(outside(lab), kind, family);
      t.is(main.gateway, 'g1', how);
      if (kind !== 'ping') t.is(main.source, client.c1[v], how);
      for (const name of ['g1', 'g2', 'g3', 'g4'] as const) {
        const seen = await probe(outside(lab), kind, family, { address: gateways[name][v] });
        t.is(seen.gateway, name, how);
        if (kind !== 'ping') t.is(seen.source, client[gateways[name].device][v], how);
      }
    }
});

test.serial('main can be given each uplink; a link-local next hop works at once', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'ip route replace default via 10.0.2.1');
  await lab.sh('client', 'ip -6 route replace default via fe80::2:1 dev c2');
  for (const family of families) {
    const seen = await probe(outside(lab), 'tcp', family);
    t.deepEqual([seen.gateway, seen.source], ['g2', client.c2[`v${family}`]]);
  }
});

test.serial('a probe chooses its port, address and device, and names its error', async (t) => {
  const lab = await makeLab(t);
  const ask = (options: object) => probe(outside(lab), 'udp', 4, options);
  t.like(await ask({ localPort: 4242 }), { gateway: 'g1', port: 4242 });
  t.like(await ask({ localPort: 4242, unconnected: true }), { gateway: 'g1', port: 4242 });
  t.like(await ask({ local: '10.0.2.2', timeout: 0.2 }), { error: 'ETIMEDOUT' });
  t.like(await ask({ device: 'c2', address: '10.0.1.1', timeout: 0.2 }), { gateway: null });
  t.like(await ask({ address: '10.0.1.1', port: 1 }), { error: 'ECONNREFUSED' });
  await lab.sh('client', 'ip route del default');
  t.like(await ask({}), { error: 'ENETUNREACH' });
});

test.serial('connections stay open, carry much, and speak HTTP', async (t) => {
  const lab = await makeLab(t, { mtuB: 1280 });
  const talker = lab.start('client', probeCommand('tcp', { address: gateways.g2.v4, port: 7001, talk: true }));
  await talker.waitFor(/^open$/m);
  for (const word of ['one', 'two']) {
    talker.write(`${word}\n`);
    await talker.waitFor(new RegExp(`^g2 10\\.0\\.2\\.2 \\d+ ${word}$`, 'm'));
  }
  talker.stdin.end();
  t.is((await talker.done).code, 0);

  const size = 2_000_000;
  const script = `exec 3<>/dev/tcp/10.0.2.1/7001; head -c ${size} /dev/zero |
    cat <(echo upload ${size}) - >&3; cat <&3`;
  t.regex((await lab.run('client', ['bash', '-c', script])).stdout, new RegExp(`^g2 \\S+ \\d+ ${size}$`, 'm'));
  const download = await lab.run('client', ['curl', '-s', `http://10.0.2.1/bytes/${size}`]);
  t.is(download.bytes.length, size);
  t.regex((await lab.run('client', ['curl', '-s', far.v4])).stdout, /^g1 10\.0\.1\.2 \d+\n$/);
});

test.serial('far clients reach a server, by the uplink main answers on', async (t) => {
  const lab = await makeLab(t);
  const running = lab.start('client', server('client', '::'));
  await running.waitFor(/^ready/m);
  const ask = (gateway: 'g1' | 'g2', address: string, kind: Kind) =>
    probe(outside(lab, gateway), kind, 4, { address, local: far.v4, timeout: 0.3 });
  t.like(await ask('g1', '10.0.1.2', 'tcp'), { gateway: 'client', source: far.v4 });
  t.like(await ask('g1', '10.0.1.2', 'udp'), { gateway: 'client', source: far.v4 });
  t.is((await ask('g2', '10.0.2.2', 'tcp')).error, 'ETIMEDOUT');
});

test.serial('without v6, and with rp_filter as asked for', async (t) => {
  const lab = await makeLab(t, { v6: false, rpFilter: { c2: 1, all: 2 } });
  t.is((await probe(outside(lab), 'tcp', 4)).gateway, 'g1');
  t.is((await probe(outside(lab), 'tcp', 6)).error, 'ENETUNREACH');
  const values = await lab.sh('client', 'cd /proc/sys/net/ipv4/conf; cat c1/rp_filter */rp_filter');
  t.is(values, '0\n2\n0\n1\n0\n0\n'); // c1, then all, c1, c2, default, lo
});

test.serial('a capture shows the packets, without the markers', async (t) => {
  const lab = await makeLab(t);
  const capture = await sniff(lab, 'client', 'c1', 'udp port 7000');
  t.deepEqual(lab.processes(), []);
  await probe(outside(lab), 'udp', 4, { localPort: 4242 });
  const packets = await capture.stop();
  t.is(packets.length, 2);
  t.regex(packets[0] ?? '', /10\.0\.1\.2\.4242 > 203\.0\.113\.10\.7000/);
  const silent = await sniff(lab, 'client', 'c2', 'udp port 7000');
  await probe(outside(lab), 'udp', 4);
  t.deepEqual(await silent.stop(), []);
});

test.serial('a capture in which a marker is missing is none', async (t) => {
  const lab = await makeLab(t);
  const block = 'nft add table inet x; nft add chain inet x o "{ type filter hook output priority 0; }"';
  const capture = await sniff(lab, 'client', 'c1', 'udp port 7000', { patience: 500 });
  await lab.sh('client', `${block}; nft add rule inet x o udp dport 9 drop`);
  await t.throwsAsync(capture.stop(), { message: /marker/ });
  await t.throwsAsync(sniff(lab, 'client', 'c1', '', { patience: 300 }), { message: /marker/ });
});

test.serial('snapshots are equal until something changes', async (t) => {
  const lab = await makeLab(t, { netCls: 'mounted' });
  let before = await snapshot(lab);
  await probe(outside(lab), 'udp', 4);
  t.deepEqual(diff(before, await snapshot(lab)), []);
  const changes: [string, string][] = [
    ['rules', 'ip rule add fwmark 7 table 7'],
    ['rules6', 'ip -6 rule add fwmark 7 table 7'],
    ['routes', 'ip route add unreachable default table 7'],
    ['routes6', 'ip -6 route add unreachable default table 7'],
    ['sysctls', 'echo 1 >/proc/sys/net/ipv4/conf/c2/src_valid_mark'],
    ['nft', 'nft add table inet via'],
    ['iptables', 'iptables -t mangle -N via'],
    ['mounts', 'mkdir -p /run/via && mount -t tmpfs none /run/via'],
    ['files', 'echo text >/run/via/record'],
    ['files', 'chmod 600 /run/via/record'],
    ['files', 'echo test >/run/via/record'],
    ['cgroups', 'mkdir /sys/fs/cgroup/net_cls/via'],
    ['cgroups', 'echo 7 >/sys/fs/cgroup/net_cls/via/net_cls.classid'],
  ];
  for (const [part, script] of changes) {
    await lab.sh('client', script);
    const after = await snapshot(lab);
    const found = diff(before, after);
    t.true(
      found.some((line) => line.startsWith(`${part} `)),
      `${script}: ${found.join('; ')}`,
    );
    before = after;
  }
});

test.serial('the classic recipe sends by its gateway, with the source of main', async (t) => {
  const lab = await makeLab(t);
  const capture = await sniff(lab, 'g2', 'eth0', 'port 7000');
  const seen = await probe((argv) => classic(lab, 'g2', argv), 'udp', 4, { timeout: 0.3 });
  t.is(seen.error, 'ETIMEDOUT');
  const packets = await capture.stop();
  t.true(packets.length > 0);
  for (const packet of packets) t.regex(packet, / 10\.0\.1\.2\.\d+ > 203\.0\.113\.10\.7000/);
  // By a gateway on main's own LAN that source is right, and all of it works.
  for (const kind of kinds) t.is((await probe((argv) => classic(lab, 'g3', argv), kind, 4)).gateway, 'g3', kind);
  t.is((await probe(outside(lab), 'udp', 4)).gateway, 'g1');
});

test.serial('a terminal passes keys and sizes, and the end of the program', async (t) => {
  const lab = await makeLab(t, { servers: false });
  const shown = pty(lab, [process.execPath, fixture('signals.mjs')]);
  await shown.see(/^ready \d+/m);
  shown.type('\x03');
  await shown.see(/SIGINT 1/);
  shown.resize(30, 100);
  await shown.see(/SIGWINCH 1/);
  shown.type('exit 7\n');
  t.is((await shown.program.done).code, 7);

  const shell = localPty(['bash', '--norc', '-i'], { env: { PS1: '> ' } });
  await shell.see(/> $/);
  shell.type('sleep 60\n');
  await shell.see(/60\r\n/);
  // The shell gives the terminal to its job a moment after it has echoed the line.
  await new Promise((resolve) => setTimeout(resolve, 100));
  shell.type('\x1a');
  await shell.see(/Stopped/);
  shell.type('kill %1; kill -9 $$\n');
  t.is((await shell.program.done).signal, 'SIGKILL');
});

test.serial('what still runs is told, and goes with the lab', async (t) => {
  const lab = await makeLab(t);
  const left = await footprint(lab);
  t.deepEqual(lab.processes(), []);
  await lab.sh('client', 'setsid sleep 1234 >/dev/null 2>&1 &');
  await classic(lab, 'g2', ['sh', '-c', 'setsid sleep 2345 >/dev/null 2>&1 &']);
  const running = () =>
    lab
      .processes()
      .map(({ argv }) => argv.join(' '))
      .sort();
  // setsid starts before it becomes what it runs.
  for (let tries = 0; tries < 50 && running().some((argv) => /setsid/.test(argv)); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  t.deepEqual(running(), ['sleep 1234', 'sleep 2345']);
  t.not((await left()).length, 0);
  await lab.end();
  t.deepEqual(await left(), []);
});

test.serial('two labs at once see nothing of each other; a killed one leaves nothing', async (t) => {
  const helpers = dirname(fileURLToPath(import.meta.resolve('./helpers/lab.js')));
  const labs = (['g2', 'g3'] as const).map((gateway) =>
    start([process.execPath, fixture('other-lab.mjs'), helpers, gateway]),
  );
  await Promise.all(labs.map((lab) => lab.waitFor(/\n/)));
  const names: string[] = [];
  for (const [index, lab] of labs.entries()) {
    lab.write('again\n');
    const [line] = await lab.waitFor(/.*\n/, { from: lab.stdout.length });
    const seen = JSON.parse(line) as { name: string; cgroups: string; mounts: string };
    names.push(seen.name);
    const number = index + 2;
    t.is(seen.cgroups, `/ 0\n/g${number} ${0x100000 + number} 0\n`);
    t.is(seen.mounts.match(/ - cgroup .*net_cls/g)?.length, 1);
  }
  t.is(new Set(names).size, 2);
  t.not((await traces(names[0] ?? '')).length, 0);
  labs[0]?.kill('SIGKILL');
  labs[1]?.stdin.end();
  t.is((await labs[1]?.done)?.code, 0);
  for (const name of names) {
    // Nobody waits for the killed one's warden.
    for (let tries = 0; tries < 100 && (await traces(name)).length > 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    t.deepEqual(await traces(name), []);
  }
});

test.serial("the machine's own network is as it was", async (t) => {
  const look = async () => {
    const script = 'ip -o link; ip rule; ip -6 rule; ip route show table all; nft list ruleset';
    const running = start(['sh', '-c', `${script}; cat /proc/self/mountinfo`]);
    return (await running.done).stdout;
  };
  const before = await look();
  const lab = await makeLab(t, { tun: true, netCls: 'mounted' });
  await classic(lab, 'g2', ['true']);
  t.is(await look(), before);
  await lab.end();
  t.is(await look(), before);
});
