import test from 'ava';
import { watchOthers } from '../closed/other-path.js';
import { seesAll } from '../helpers/firewall.js';
import { watched, WITHIN } from '../helpers/healing.js';
import { makeLab } from '../helpers/lab.js';
import { kept, until } from '../helpers/left.js';
import { startMember } from '../helpers/member.js';
import { far } from '../helpers/topology.js';

const wait = (): Promise<void> => until('', () => false, WITHIN).catch(() => {});

test.serial('a device without an address, whose router somebody has made a route to, is not lost', async (t) => {
  const lab = await makeLab(t);
  await lab.sh(
    'client',
    `ip -6 address flush dev c2 scope global
    ip -6 address add 2001:db8:5::5/128 dev lo; ip -6 route add fd02::1/128 dev c2`,
  );
  await lab.sh('g2', 'ip -6 route add 2001:db8:5::5/128 via fe80::2:2 dev eth0');
  const member = await startMember(lab, ['fd02::1']);
  await watched(lab);
  await wait();
  t.is((await member.ask('tcp', far.v6)).who, 'g2');
  await member.end();
  t.is(member.running.stderr, '');
  await kept(lab);
});

if (seesAll())
  test.serial('a device whose routers change again and again is followed: nobody insists', async (t) => {
    const lab = await makeLab(t);
    await lab.sh('g2', 'ip address add 10.0.2.9/24 dev eth0');
    await lab.sh('client', 'ip route add default via 10.0.2.1 dev c2 metric 200');
    const member = await startMember(lab, ['%c2']);
    await watched(lab);
    for (let n = 0; n < 8; n++) {
      const router = n % 2 === 0 ? '10.0.2.9' : '10.0.2.1';
      await lab.sh('client', `ip route replace default via ${router} dev c2 metric 200`);
      await until(
        `${router} is used`,
        async () => (await lab.sh('client', 'ip route show table all proto 118')).includes(`default via ${router} `),
        WITHIN,
      );
      await until('it answers', async () => (await member.ask('tcp', far.v4, 0.2)).who === 'g2', WITHIN);
    }
    await member.end();
    t.is(member.running.stderr, '');
    await kept(lab);
  });

test.serial("somebody's route in the place of one group's does not keep another's from being mended", async (t) => {
  const lab = await makeLab(t);
  const members = [await startMember(lab, ['10.0.1.3']), await startMember(lab, ['10.0.2.1'])] as const;
  await watched(lab);
  const rules = async (): Promise<string[][]> =>
    [...(await lab.sh('client', 'ip -N rule')).matchAll(/^(\d+):.* lookup (\d+) proto 118/gm)].map((match) => [
      ...match,
    ]);
  const tables = await lab.sh('client', 'ip -N route show table all proto 118');
  const table = /^default via 10\.0\.1\.3 .*table (\d+)/m.exec(tables)?.[1];
  const [other] = (await rules()).filter(([, , name]) => name !== table);
  await lab.sh(
    'client',
    `ip route del default table ${table} proto 118; ip route add default via 10.0.1.1 table ${table}`,
  );
  await lab.sh('client', `ip rule del pref ${other?.[1]}`);
  await until('it answers', async () => (await members[1].ask('tcp', far.v4, 0.2)).who === 'g2', WITHIN);
  t.not((await members[0].ask('tcp', far.v4, 0.2)).who, 'g1');
  await lab.sh('client', `ip route del default via 10.0.1.1 table ${table}`);
  for (const member of members) await member.end();
  await kept(lab);
});

const slowReader = `
import socket, time
server = socket.create_server(('${far.v4}', 7999))
print('ready', flush=True)
connection, _ = server.accept()
try:
  while connection.recv(8000): time.sleep(0.02)
except OSError: pass`;

/** SO_SNDBUFFORCE; what is sent stays behind when it ends. */
const sendsMuch = `
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, 32, 4000000)
s.connect(('${far.v4}', 7999))
s.setblocking(False)
try:
  while True: s.send(b'x' * 4096)
except BlockingIOError: pass`;

for (const [what, act] of [
  ['is mended meanwhile', undefined],
  ["another's launch does not send it by another way", ['10.0.2.1', '--', 'true']],
  ['nor does via sweep', ['sweep']],
] as const)
  test.serial(`what a group's last member has sent is on its way for long: ${what}`, async (t) => {
    const lab = await makeLab(t);
    await lab.sh('g2', 'ip address add 10.0.2.9/24 dev eth0');
    await lab.serve('g2', ['python3', '-c', slowReader]);
    const member = await startMember(lab, ['10.0.2.1']);
    await watched(lab);
    const mine = `ip -N rule | sed -n 's/^\\([0-9]*\\):.* proto 118.*/\\1/p'`;
    const pref = await lab.sh('client', mine);
    t.is((await lab.via(['-x', '10.0.2.9', '--', 'python3', '-c', sendsMuch])).code, 0);
    const capture = await watchOthers(lab, 'g2', 4);
    if (act === undefined) {
      await lab.sh('client', `ip rule del pref ${pref}`);
      await until('it answers', async () => (await member.ask('tcp', far.v4, 0.2)).who === 'g2', WITHIN);
    } else t.is((await lab.via([...act])).stderr, '');
    await wait();
    t.deepEqual(await capture.stop(), []);
    await member.end();
    await lab.sh('client', 'ip link set c2 down; ip link set c2 up');
    await kept(lab);
  });
