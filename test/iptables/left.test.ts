import test from 'ava';
import { launchWords, markBy } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { leaving, quiet } from '../helpers/left.js';
import { refuses } from '../helpers/refused.js';
import { hold } from '../helpers/runners.js';
import { diff, snapshot } from '../helpers/snapshot.js';

const gateways = ['10.0.2.1', 'fd02::1', '10.0.1.3,fd01::3', '10.0.1.1'];

for (const firewall of ['iptables-nft', 'iptables-legacy'] as const) {
  test.serial(
    `${firewall}: a launch leaves nothing, and a second one by the same gateway changes nothing`,
    async (t) => {
      markBy(firewall);
      const lab = await makeLab(t, { servers: false });
      for (const gateway of gateways) {
        const { left } = await leaving(lab, async () => {
          const held = await hold(lab, gateway);
          const before = await snapshot(lab);
          const second = await lab.via(['-v', gateway, '--', 'true']);
          t.deepEqual([second.code, second.stdout], [0, '']);
          t.regex(second.stderr, /^(via: )?echo \$\$ > \S+\n# \S+: sent \d+ packets, .*\n$/, gateway);
          // The state that was found in order is kept for the next one.
          const changed = diff(before, await snapshot(lab)).filter((line) => !/\/intact-/.test(line));
          t.deepEqual(changed, []);
          t.is((await held.release()).stderr, '');
        });
        t.deepEqual(left, [], gateway);
      }
    },
  );

  test.serial(`${firewall}: what others have there stays, whenever they put it there`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t, { servers: false });
    const six = firewall.replace('ip', 'ip6');
    await lab.sh(
      'client',
      `${firewall}-restore --noflush <<X
*mangle
:theirs - [0:0]
-A theirs -m mark --mark 0x7 -j ACCEPT
-A OUTPUT -j theirs
-A OUTPUT -m comment --comment "jump 1" -j MARK --set-xmark 0x1/0xff
COMMIT
*filter
:OUTPUT DROP [0:0]
-A OUTPUT -j ACCEPT
COMMIT
X
${six} -t nat -N via-friend`,
    );
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '10.0.2.1');
      // While it runs: a chain that nothing leads to, a rule in a chain that via uses, a policy.
      await lab.sh(
        'client',
        `${firewall} -t raw -N later; ${firewall} -t nat -A POSTROUTING -j ACCEPT; ${six} -P FORWARD DROP`,
      );
      await held.release();
      const list = await lab.sh('client', `${firewall}-save; ${six}-save`);
      t.regex(list, /^:later - /m);
      t.regex(list, /^-A POSTROUTING -j ACCEPT$/m);
      t.regex(list, /^:FORWARD DROP /m);
      t.notRegex(list, /via-(?!friend)/);
      await lab.sh(
        'client',
        `${firewall} -t raw -X later; ${firewall} -t nat -D POSTROUTING -j ACCEPT; ${six} -P FORWARD ACCEPT`,
      );
      // What is empty now is theirs as much as ours: via leaves it, and so it stays until they take it.
      if (firewall === 'iptables-nft')
        await lab.sh('client', 'nft delete table ip raw; nft delete table ip nat; nft delete table ip6 filter');
    });
    t.deepEqual(left, []);
    await lab.sh('client', `${firewall} -t mangle -N via-out; ${firewall} -t mangle -A via-out -j ACCEPT`);
    await refuses(t, lab, ['10.0.2.1', '--', 'true'], /chain via-out: not made by via/);
  });

  test.serial(`${firewall}: what a killed via leaves goes with a sweep, or with the next launch`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t, { servers: false });
    for (const words of [['sweep'], ['10.0.1.3', '--', 'true']]) {
      const { left } = await leaving(lab, async () => {
        const held = await hold(lab, '10.0.2.1');
        const groups = lab.processes();
        for (const { pid } of groups) process.kill(pid, 'SIGKILL');
        await held.release();
        await quiet(lab);
        t.regex(await lab.sh('client', `${firewall}-save`), /via-guard/);
        t.deepEqual([(await lab.via(words)).stderr], ['']);
      });
      t.deepEqual(left, [], words.join(' '));
    }
    // Killed before it could say by which firewall.
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '10.0.2.1');
      for (const { pid } of lab.processes()) process.kill(pid, 'SIGKILL');
      await held.release();
      await lab.sh('client', 'rm /run/via/group-*');
      t.is((await lab.via(['sweep'])).code, 0);
    });
    t.deepEqual(left, []);
  });

  test.serial(`${firewall}: what others take away comes back with the next launch`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t, { servers: false });
    const list = async () =>
      (await lab.sh('client', `${firewall}-save; ${firewall.replace('ip', 'ip6')}-save`)).replace(
        /^#.*\n| \[\d+:\d+\]$/gm,
        '',
      );
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '10.0.2.1');
      const whole = await list();
      for (const [does, how] of [
        [`${firewall} -F OUTPUT`, 'a flush'],
        [`${firewall} -t mangle -F`, 'a flush of all chains'],
        [`${firewall} -t mangle -F OUTPUT; ${firewall} -t mangle -X via-new || true`, 'a chain'],
        [`${firewall} -t mangle -D PREROUTING 2`, 'a rule'],
        [`${firewall} -t mangle -I via-out -j RETURN`, 'a rule that is not ours'],
        [`${firewall} -t nat -F; ${firewall} -t nat -X`, 'all of a table'],
      ] as const) {
        await lab.sh('client', does);
        t.not(await list(), whole, how);
        t.is((await lab.run('client', [...launchWords(['10.0.2.1']), '--', 'true'])).stderr, '', how);
        const [now, then] = [await list(), whole].map((text) => text.split('\n').sort());
        t.deepEqual(now, then, how);
      }
      await held.release();
    });
    t.deepEqual(left, []);
  });
}
