import test from 'ava';
import { bothOf } from '../closed/senders.js';
import { askFrom, farBehind, own, ports, serveInside, serveOutside, unanswered } from '../helpers/clients.js';
import { seesAll } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { hold } from '../helpers/runners.js';
import { client } from '../helpers/topology.js';

const everybody = ['g1', 'g2', 'g3'] as const;

test.serial('a server in the group answers everybody by the path they came', async (t) => {
  const lab = await makeLab(t);
  const server = await serveInside(lab, ['10.0.2.1,fd02::1']);
  // Main's route to the far address leads to g1, and g3 is no way of this group.
  t.deepEqual(unanswered(await askFrom(lab, everybody, ports.inside), 'inside'), farBehind('g3'));
  server.kill();
  await server.done;
  // A UDP server that does not say by which of its addresses it answers.
  const anyAddress = await serveInside(lab, ['10.0.2.1,fd02::1'], ['::']);
  t.deepEqual(unanswered(await askFrom(lab, everybody, ports.inside), 'inside'), farBehind('g3'));
  anyAddress.kill();
  await anyAddress.done;
});

test.serial("a bystander's server answers whom it answered before", async (t) => {
  const lab = await makeLab(t);
  await serveOutside(lab);
  const before = await askFrom(lab, everybody, ports.bystander);
  t.deepEqual(unanswered(before, 'bystander'), farBehind('g2', 'g3'));
  const server = await serveInside(lab, ['10.0.2.1,fd02::1']);
  await lab.sh('client', watch());
  t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
  t.deepEqual(unanswered(await askFrom(lab, ['g1', 'g2'], ports.inside), 'inside'), []);
  t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
  const counted = await lab.sh('client', 'nft list counters table inet watch');
  t.regex(counted, /counter marked {\s+packets 0 /);
  t.regex(counted, /counter clean {\s+packets [1-9]/);
  server.kill();
  await server.done;
  t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
});

/** Counts a bystander's answers by whether a connection mark has bits of ours; iptables is told by the answer to a SYN. */
const watch = () => `nft -f - <<'EOF'
  table inet watch {
    counter marked { }
    counter clean { }
    chain last {
      type filter hook postrouting priority 400;
      oifname "lo" accept
      ${seesAll() ? '' : 'tcp flags & (syn | ack) == (syn | ack) accept'}
      meta l4proto { tcp, udp } th sport 8000 ct mark & 0xff000000 != 0 counter name marked
      meta l4proto { tcp, udp } th sport 8000 ct mark & 0xff000000 == 0 counter name clean
    }
  }
EOF`;

test.serial('a server in the group of one family only', async (t) => {
  const lab = await makeLab(t);
  for (const [gateway, other] of [
    ['10.0.2.1', 'v6'],
    ['fd02::1', 'v4'],
  ] as const) {
    const server = await serveInside(lab, [gateway]);
    const silent = unanswered(await askFrom(lab, everybody, ports.inside), 'inside');
    t.deepEqual(silent, [...farBehind('g2').filter((who) => who.endsWith(other)), ...farBehind('g3')], gateway);
    server.kill();
    await server.done;
  }
});

test.serial('two groups of one tunnel, whose far end may have a name of its own', async (t) => {
  const lab = await makeLab(t, { tun: true });
  const held = await hold(lab, 'tun0');
  const server = await serveInside(lab, ['10.0.4.1,fd04::1'], [...own, client.tun0.v4, client.tun0.v6]);
  t.deepEqual(unanswered(await askFrom(lab, ['g1', 'g4'], ports.inside), 'inside'), []);
  server.kill();
  await server.done;
  await held.release();
});

test.serial('the same while SYNs are answered by cookies, which hang on no socket', async (t) => {
  const lab = await makeLab(t);
  await lab.sh('client', 'echo 2 >/proc/sys/net/ipv4/tcp_syncookies');
  await serveOutside(lab);
  const before = await askFrom(lab, everybody, ports.bystander);
  for (const [name, other] of [
    ['g2', 'g3'],
    ['g3', 'g2'],
  ] as const) {
    const server = await serveInside(lab, [bothOf(name)]);
    t.deepEqual(unanswered(await askFrom(lab, everybody, ports.inside), 'inside'), farBehind(other));
    t.deepEqual(await askFrom(lab, everybody, ports.bystander), before);
    server.kill();
    await server.done;
  }
});
