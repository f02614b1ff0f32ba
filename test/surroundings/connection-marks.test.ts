import test, { type ExecutionContext } from 'ava';
import { bothOf } from '../closed/senders.js';
import { askFrom, farBehind, ports, serveOutside, unanswered } from '../helpers/clients.js';
import { seesAll } from '../helpers/firewall.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { outside, probe, probeCommand } from '../helpers/probes.js';
import { hold } from '../helpers/runners.js';
import { client, far } from '../helpers/topology.js';

/** The source port of the programs outside. */
const own = 4242;
const theirs = `meta l4proto { tcp, udp } th sport ${own}`;

/**
 * Somebody else's table, which gives each connection of programs outside a mark, and looks at it last of all. A question
 * to a server may bear a bit of ours until it is answered, its answer none; by iptables the answer to a SYN may.
 */
const foreign = (value: number): string => `nft -f - <<'EOF'
  table inet foreign {
    counter wrong { }
    counter right { }
    chain check { ct mark == ${value} counter name right accept; counter name wrong; }
    chain own { ct mark set ${value}; }
    chain output { type filter hook output priority -155; ${theirs} ct direction original jump own; }
    chain prerouting {
      type filter hook prerouting priority -155
      meta l4proto { tcp, udp } th dport ${ports.bystander} ct state new jump own
    }
    chain input { type filter hook input priority 400; meta l4proto { tcp, udp } th dport ${own} jump check; }
    chain last {
      type filter hook postrouting priority 400
      ${theirs} jump check
      ${seesAll() ? '' : 'tcp flags & (syn | ack) == (syn | ack) accept'}
      meta l4proto { tcp, udp } th sport ${ports.bystander} jump check
    }
  }
EOF`;

async function counted(lab: Lab): Promise<Record<'wrong' | 'right', number>> {
  const text = await lab.sh('client', 'nft list counters table inet foreign');
  const of = (name: string) => Number(new RegExp(`counter ${name} {\\s+packets (\\d+)`).exec(text)?.[1]);
  return { wrong: of('wrong'), right: of('right') };
}

/** The marks of all connections that conntrack knows of the programs outside. */
async function marksOf(lab: Lab): Promise<number[]> {
  const list = await lab.sh('client', 'conntrack -L 2>/dev/null; conntrack -L -f ipv6 2>/dev/null');
  const of = list.split('\n').filter((line) => new RegExp(` (sport=${own}|dport=${ports.bystander}) `).test(line));
  return [...new Set(of.map((line) => Number(/ mark=(\d+)/.exec(line)?.[1])))];
}

/** What the programs outside get done by main's way, from the port that they chose: questions, and servers that answer. */
async function asAlways(t: ExecutionContext, lab: Lab): Promise<void> {
  for (const v of ['v4', 'v6'] as const)
    t.like(await probe(outside(lab), 'udp', v === 'v4' ? 4 : 6, { localPort: own }), {
      gateway: 'g1',
      source: client.c1[v],
      port: own,
    });
  const silent = unanswered(await askFrom(lab, ['g1', 'g2', 'g3'], ports.bystander), 'bystander');
  t.deepEqual(silent, farBehind('g2', 'g3'));
}

// The lower 24 bits, and all of them: values of no group's that is in use, nor of what may become one's.
for (const value of [0x00abcdef, 0xcafe0001])
  test.serial(`somebody's connection mark 0x${value.toString(16)} on connections outside`, async (t) => {
    const lab = await makeLab(t);
    await serveOutside(lab);
    await lab.sh('client', foreign(value));
    const talkers = [far.v4, far.v6].map((address) =>
      lab.start('client', probeCommand('tcp', { address, port: 7001, talk: true, localPort: own })),
    );
    const say = async (word: string) => {
      for (const [i, talker] of talkers.entries()) {
        talker.write(`${word}\n`);
        await talker.waitFor(new RegExp(`^g1 ${client.c1[i === 0 ? 'v4' : 'v6']} ${own} ${word}$`, 'm'));
      }
    };
    await say('one');
    await asAlways(t, lab);
    const { left } = await leaving(lab, async () => {
      const held = [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))];
      await say('two');
      await asAlways(t, lab);
      for (const one of held) await one.release();
    });
    t.deepEqual(left, []);
    await say('three');
    await asAlways(t, lab);
    // What no way answers stays a question, and bears the bit as long as conntrack knows it.
    const marks = await marksOf(lab);
    t.deepEqual(
      marks.filter((mark) => ((mark ^ value) & 0xffffff) !== 0),
      [],
    );
    t.true(marks.includes(value));
    for (const talker of talkers) {
      talker.stdin.end();
      t.is((await talker.done).code, 0);
    }
    const { wrong, right } = await counted(lab);
    t.is(wrong, 0);
    t.true(right > 100, `${right}`);
  });

// What the upper byte may not be, as CAVEATS of the manual page says.
test.serial('a connection mark with the bits of a group that is in use is taken for one of the group', async (t) => {
  const lab = await makeLab(t);
  const held = await hold(lab, bothOf('g2'));
  const mark = Number(/fwmark (0x[0-9a-f]+)\//.exec(await lab.sh('client', 'ip -N rule'))?.[1]);
  t.is((await probe(outside(lab), 'tcp', 4, { localPort: own })).gateway, 'g1');
  await lab.sh('client', foreign(mark + 1));
  t.is((await probe(outside(lab), 'tcp', 6, { localPort: own })).gateway, 'g2');
  // Where no connection is to be kept, it is set right.
  t.is((await probe(outside(lab), 'udp', 4, { localPort: own })).gateway, 'g1');
  t.true((await counted(lab)).wrong > 0);
  await held.release();
});

test.serial('of a connection mark with the bit of what comes in, that bit is lost', async (t) => {
  const lab = await makeLab(t);
  await serveOutside(lab);
  await lab.sh('client', foreign(0x80000123));
  const held = await hold(lab, bothOf('g2'));
  await asAlways(t, lab);
  t.true((await counted(lab)).wrong > 0);
  t.deepEqual([...new Set((await marksOf(lab)).map((mark) => mark & 0xffffff))], [0x123]);
  await held.release();
});
