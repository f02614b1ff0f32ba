import test from 'ava';
import { inGroup, startSender } from '../closed/senders.js';
import { askFrom, ports, serveInside, unanswered } from '../helpers/clients.js';
import { markBy, othersIptables } from '../helpers/firewall.js';
import { killKeepers } from '../helpers/keepers.js';
import { makeLab } from '../helpers/lab.js';
import { probe } from '../helpers/probes.js';
import { by, hold } from '../helpers/runners.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';

// What iptables cannot do, as CAVEATS of the manual page says.
for (const firewall of ['iptables-nft', 'iptables-legacy'] as const) {
  test.serial(`${firewall}: of two routers on one link, each passes the guard for the other`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t);
    const sender = await startSender(lab, (argv) => inGroup('via', 'g3', argv));
    await sender.served('g3');
    const capture = await sniff(lab, 'g1', 'eth0', `dst ${far.v4} and ether dst 02:00:00:00:01:01`);
    // The keeper's own guard, which is nft's, does see it.
    await killKeepers(lab);
    await lab.sh('client', 'ip rule del pref $(ip rule | sed -n "/fwmark/s/:.*//p")');
    await sender.rounds(5);
    t.not((await capture.stop()).length, 0);
    await sender.end();
  });

  test.serial(`${firewall}: nothing of a group leaves where somebody keeps it from conntrack`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t);
    const held = await hold(lab, '10.0.2.1,fd02::1');
    await lab.sh('client', `${firewall} -t raw -I OUTPUT -d ${far.v4} -j NOTRACK`);
    const captures = [
      await sniff(lab, 'client', 'c1', `dst ${far.v4}`),
      await sniff(lab, 'client', 'c2', `dst ${far.v4}`),
    ];
    for (const kind of ['tcp', 'ping'] as const)
      t.is((await probe(by(lab, '10.0.2.1,fd02::1'), kind, 4, { timeout: kind === 'tcp' ? 0.2 : 1 })).gateway, null);
    for (const capture of captures) t.deepEqual(await capture.stop(), []);
    await held.release();
  });

  test.serial(`${firewall}: the first answer to a neighbour goes where somebody leads what is sent`, async (t) => {
    markBy(firewall);
    const lab = await makeLab(t);
    await lab.sh('client', ledAway());
    const server = await serveInside(lab, ['10.0.2.1,fd02::1']);
    const capture = await sniff(lab, 'client', 'c1', `src ${client.c2.v4} and src port ${ports.inside}`);
    t.deepEqual(
      unanswered(await askFrom(lab, ['g2'], ports.inside), 'inside').filter((who) => who.endsWith('v4')),
      ['g2 near tcp v4'],
    );
    const lines = await capture.stop();
    t.not(lines.length, 0);
    for (const line of lines) t.regex(line, /Flags \[S\.\]/);
    server.kill();
    await server.done;
  });
}

/** Rules that mark all that is sent, and lead it by a router, as those of mwan3 would without its list of networks. */
const ledAway = (): string => `
  ${othersIptables()[4]} -t mangle -A OUTPUT -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00
  ${othersIptables()[4]} -t mangle -A OUTPUT -m mark --mark 0/0x3f00 -j MARK --set-xmark 0x100/0x3f00
  ${othersIptables()[4]} -t mangle -A OUTPUT -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00
  ip rule add pref 2001 fwmark 0x100/0x3f00 lookup 101
  ip route add default via 10.0.1.1 table 101`;
