import test from 'ava';
import { fixture } from '../helpers/paths.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { allKinds, outside, probe, probeAll, probeCommand, type Kind, type Seen } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

const kinds: Kind[] = ['tcp', 'udp', 'ping'];
const other = (family: 4 | 6) => (family === 4 ? 6 : 4);
const addressOf = (family: 4 | 6) => ({ 4: '10.0.2.1', 6: 'fd02::1' })[family];

/** What a program gets at once when its family has no way out, and nothing of it on the wire. */
const refusals: Record<Kind, RegExp> = {
  tcp: /^ECONNREFUSED$/,
  udp: /^(EHOSTUNREACH|ENETUNREACH)$/,
  ping: /unreachable/i,
};

for (const family of [4, 6] as const)
  test.serial(`a gateway of v${family} only: v${other(family)} is refused at once`, async (t) => {
    const lab = await makeLab(t);
    const refused = other(family);
    const own = [...addressesOf('c1', refused), ...addressesOf('c2', refused)].map((address) => `src ${address}`);
    const captures = await Promise.all(
      ['c1', 'c2'].map((device) => sniff(lab, 'client', device, `(${own.join(' or ')}) and dst ${far[`v${refused}`]}`)),
    );
    for (const kind of kinds) {
      t.is((await probe(by(lab, addressOf(family)), kind, family)).gateway, 'g2', kind);
      const seen = await probe(by(lab, addressOf(family)), kind, refused, { timeout: 5 });
      t.is(seen.gateway, null, kind);
      t.regex(seen.error ?? '', refusals[kind], kind);
      // ping's time is that of the launch as well; it would wait for five seconds.
      t.true(seen.ms < (kind === 'ping' ? 3000 : 100), `${kind}: ${seen.ms} ms`);
    }
    const unconnected = await probe(by(lab, addressOf(family)), 'udp', refused, { unconnected: true, timeout: 5 });
    t.regex(unconnected.error ?? '', refusals.udp);
    t.true(unconnected.ms < 100, `${unconnected.ms} ms`);
    for (const capture of captures) t.deepEqual(await capture.stop(), []);
    t.is((await probe(outside(lab), 'tcp', refused)).gateway, 'g1');
  });

function addressesOf(device: 'c1' | 'c2', family: 4 | 6): string[] {
  return family === 4 ? [client[device].v4] : [client[device].v6, client[device].link];
}

const local = ['127.0.0.1', '127.0.0.53', '10.0.1.2', '10.0.2.2', '::1', 'fd01::2', 'fd02::2', 'fe80::2:2%c2'];

/** Asks the machine itself, by each of its addresses, from inside; gives who answered. */
async function askLocally(lab: Lab, words: string[]): Promise<Record<string, string | null>> {
  const asked = local.flatMap((address) => (['tcp', 'udp'] as const).map((kind) => ({ address, kind })));
  const lines = asked.map((one) => probeCommand(one.kind, one).join(' ')).join('\n');
  const { stdout } = await by(lab, ...words)(['sh', '-c', lines]);
  const seen = stdout.trim().split('\n');
  return Object.fromEntries(
    asked.map(({ kind, address }, i) => {
      const { gateway, error } = JSON.parse(seen[i] ?? '{}') as Partial<Seen>;
      return [`${kind} ${address}`, gateway ?? error ?? null];
    }),
  );
}

test.serial("the machine's own addresses work, whatever the gateway has", async (t) => {
  const lab = await makeLab(t, { servers: false });
  const server = [process.execPath, fixture('server.mjs')];
  await lab.serve('client', [...server, 'client', ...local]);
  for (const words of [
    ['10.0.2.1'],
    ['fd02::1'],
    ['10.0.1.3'],
    ['--no-lan', '10.0.2.1'],
    ['--ipv6=allow', '10.0.2.1'],
  ]) {
    const seen = await askLocally(lab, words);
    t.deepEqual(new Set(Object.values(seen)), new Set(['client']), `${words.join(' ')}: ${JSON.stringify(seen)}`);
    // And a server inside, asked from inside.
    const script = `${server.join(' ')} inside >/dev/null & until curl -s -m1 127.0.0.1:1080; do sleep 0.02; done
      for a in 127.0.0.1 10.0.1.2 10.0.2.2 '[::1]' '[fd01::2]' '[fd02::2]'; do curl -gs -m1 "$a:1080"; done; kill $!`;
    const { stdout, stderr } = await lab.via([...words, '--', 'bash', '-c', script], { env: { PORT_OFFSET: '1000' } });
    t.is(stderr, '');
    t.is(stdout.match(/^inside /gm)?.length, 7, stdout);
  }
});

test.serial('allow: the other family leaves as main says, in a group of its own', async (t) => {
  const lab = await makeLab(t);
  const groups = async () => (await lab.sh('client', 'find /run/via/net_cls -name "via-*"')).trim().split('\n').length;
  const rows = [
    { words: ['--ipv6=allow', '10.0.2.1'], v4: 'g2', v6: 'g1' },
    { words: ['--ipv4=allow', 'fd02::1'], v4: 'g1', v6: 'g2' },
    { words: ['--ipv6=allow', '10.0.1.3'], v4: 'g3', v6: 'g1' },
    { words: ['10.0.2.1'], v4: 'g2', v6: null },
    { words: ['fd02::1'], v4: null, v6: 'g2' },
    // Of no meaning where the gateway has both: one group, whatever is said.
    { words: ['10.0.2.1,fd02::1'], v4: 'g2', v6: 'g2' },
  ];
  const held = await Promise.all(rows.map(({ words }) => hold(lab, ...words)));
  t.is(await groups(), rows.length);
  for (const { words, ...expected } of rows) {
    const seen = await probeAll(by(lab, ...words));
    for (const [kind, family] of allKinds) {
      const answer = seen[`${kind} v${family}`] ?? '';
      const name = expected[`v${family}`];
      if (name === null) t.regex(answer, refusals[kind], words.join(' '));
      else t.is(answer, name, `${words.join(' ')}: ${kind} v${family}`);
    }
  }
  held.push(await hold(lab, '--ipv6=allow', '10.0.2.1,fd02::1'));
  t.is(await groups(), rows.length);
  await Promise.all(held.map((one) => one.release()));
});
