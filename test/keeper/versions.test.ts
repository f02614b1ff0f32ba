import test, { type ExecutionContext } from 'ava';
import { answered, fresh, shielded, watched, WITHIN } from '../helpers/healing.js';
import { watchOthers } from '../closed/other-path.js';
import { bothOf, startSender, type Sender } from '../closed/senders.js';
import { settled } from '../helpers/keepers.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { kept, leaving, until } from '../helpers/left.js';
import { ours } from '../helpers/ours.js';
import { probeAll } from '../helpers/probes.js';
import { install, type Version } from '../helpers/versions.js';

const gateway = bothOf('g2');

/** Starts a member that sends all day, by this version. */
const member = (lab: Lab, version: Version): Promise<Sender> =>
  startSender(lab, (argv) => version.launch(gateway, '--', ...argv));

/** One launch by this version: all it sends is answered by g2, and via says nothing. */
async function launches(t: ExecutionContext, lab: Lab, version: Version, ...words: string[]): Promise<void> {
  const errors: string[] = [];
  const answers = await probeAll(async (argv) => {
    const result = await lab.run('client', version.launch(...words, gateway, '--', ...argv));
    errors.push(result.stderr);
    return result;
  });
  t.deepEqual([...new Set(Object.values(answers))], ['g2'], JSON.stringify(answers));
  t.deepEqual(errors, ['']);
}

/** What a keeper hears of, whatever the firewall: iptables-legacy tells nobody of its changes. */
const damage = `${ours}\nip rule del pref $P`;

/** The revisions in the comments of all rules of via. */
async function revisions(lab: Lab): Promise<string[]> {
  const text = await lab.sh('client', 'nft list table inet via 2>/dev/null || :; iptables-save; iptables-legacy-save');
  const found = [...text.matchAll(/(?:comment "?)(\w{8})(?:-[\da-f]{8})?\.\d+/g)].map(([, revision = '']) => revision);
  return [...new Set(found)];
}

/** The files of groups that are lost or closed. */
const states = (lab: Lab): Promise<string> => lab.sh('client', 'cat /run/via/state-* 2>/dev/null || :');

for (const later of [false, true])
  test.serial(
    `two versions share a gateway, the ${later ? 'later' : 'earlier'} one first: all is sent by it`,
    async (t) => {
      const lab = await makeLab(t);
      const versions = [install(t, later), install(t, !later)] as const;
      const { left } = await leaving(lab, async () => {
        const senders = [await member(lab, versions[0])];
        await watched(lab);
        const capture = await watchOthers(lab, 'g2');
        senders.push(await member(lab, versions[1]));
        // More often than a tool that takes rules away is met.
        for (let round = 0; round < 8; round++) {
          await launches(t, lab, versions[1], ...(round % 2 === 0 ? [] : ['-x']));
          await settled(lab);
        }
        await launches(t, lab, versions[0]);
        await settled(lab);
        for (const sender of senders) await answered(sender, 'g2', fresh(), WITHIN);
        t.is(await states(lab), '');
        t.is(lab.keepers().length, 1);
        // One of them ends, and the rules of the other stay.
        await senders[0]?.end();
        await answered(senders[1]!, 'g2', fresh(), WITHIN);
        t.deepEqual(await capture.stop(), []);
        await senders[1]?.end();
        for (const { running } of senders) t.is(running.stderr, '');
        await kept(lab);
      });
      t.deepEqual(left, []);
    },
  );

test.serial('a version takes a running group over once, and its keeper mends the rules', async (t) => {
  const lab = await makeLab(t);
  const [earlier, later] = [install(t), install(t, true)];
  const { left } = await leaving(lab, async () => {
    const sender = await member(lab, earlier);
    await watched(lab);
    const [before] = lab.keepers();
    t.deepEqual(await revisions(lab), [earlier.revision]);
    const status = await lab.run('client', [`${later.folder}/bin/via`, 'status']);
    t.notRegex(status.stdout, /drifted|missing/);
    await launches(t, lab, later);
    t.deepEqual(await revisions(lab), [later.revision]);
    await until('the keeper is of the later version', () => {
      const keepers = lab.keepers();
      return (
        keepers.length === 1 && keepers[0]?.pid !== before?.pid && keepers[0]!.argv.join(' ').includes(later.folder)
      );
    });
    await watched(lab);
    await shielded(lab);
    await lab.sh('client', damage);
    await answered(sender, 'g2', fresh(), WITHIN);
    t.deepEqual(await revisions(lab), [later.revision]);
    // A second group, by the version that is not in charge, and its end.
    t.is((await lab.run('client', earlier.launch('10.0.1.3', '--', 'true'))).stderr, '');
    await answered(sender, 'g2', fresh(), WITHIN);
    await sender.end();
    t.is(sender.running.stderr, '');
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('the files of a running via are replaced by another version: all goes on by the gateway', async (t) => {
  const lab = await makeLab(t);
  const installed = install(t);
  const { left } = await leaving(lab, async () => {
    const sender = await member(lab, installed);
    const joined = await startSender(lab, (argv) => installed.launch('-x', gateway, '--', ...argv));
    await watched(lab);
    const capture = await watchOthers(lab, 'g2');
    const [before] = lab.keepers();
    installed.upgrade();
    // The keeper that runs starts the new program.
    await lab.sh('client', damage);
    await answered(sender, 'g2', fresh(), WITHIN, false);
    await until('there is a new keeper', () => lab.keepers().length === 1 && lab.keepers()[0]?.pid !== before?.pid);
    t.deepEqual(await revisions(lab), ['feedf00d']);
    for (const words of [[], ['-x']]) await launches(t, lab, installed, ...words);
    t.is(await states(lab), '');
    await sender.end();
    await answered(joined, 'g2', fresh(), WITHIN);
    t.deepEqual(await revisions(lab), ['feedf00d']);
    t.deepEqual(await capture.stop(), []);
    await joined.end();
    t.deepEqual([sender.running.stderr, joined.running.stderr], ['', '']);
    await kept(lab);
  });
  t.deepEqual(left, []);
});

test.serial('records of another version are read as far as they are known, and go at the end', async (t) => {
  const lab = await makeLab(t);
  const version = install(t);
  const { left } = await leaving(lab, async () => {
    const sender = await member(lab, version);
    for (const change of [
      `sed -i 's/}$/,"revision":"feedf00d","more":{"a":[1]}}/'`,
      `sed -i 's/^{/{"version":2,/'`,
      `sed -i 's/"firewall":"[^"]*"/"firewall":"bpf"/'`,
      `sed -i 's/.*/[]/'`,
    ]) {
      await lab.sh('client', `${change} /run/via/group-*`);
      for (const words of [[], ['-x']]) await launches(t, lab, version, ...words);
      const status = await lab.run('client', [`${version.folder}/bin/via`, 'status']);
      t.deepEqual([status.code, status.stderr], [0, ''], change);
    }
    await lab.sh('client', `echo '{"a":{"b":1},"nft":"x"}' >/run/via/mends-$(readlink /proc/self/ns/net | tr -dc 0-9)`);
    await lab.sh('client', damage);
    await answered(sender, 'g2', fresh(), WITHIN, false);
    await sender.end();
    t.is(sender.running.stderr, '');
    await kept(lab);
  });
  t.deepEqual(left, []);
});
