import test from 'ava';
import { seesAll } from '../helpers/firewall.js';
import { killKeepers } from '../helpers/keepers.js';
import { makeLab } from '../helpers/lab.js';
import { sniff } from '../helpers/sniff.js';
import { client, far } from '../helpers/topology.js';
import { inGroup, startSender } from './senders.js';

// iptables sees the source before it is translated: there only a keeper closes the group.
if (seesAll())
  test.serial('a device without its address for a moment: nothing leaves with the address of another', async (t) => {
    const lab = await makeLab(t);
    const sender = await startSender(lab, (argv) => inGroup('via', 'g2', argv));
    await sender.served('g2');
    // By what a launch has made alone.
    await killKeepers(lab);
    const wrong = await sniff(lab, 'client', 'c2', `dst ${far.v6} and not src ${client.c2.v6}`);
    await lab.sh('client', `ip -6 address del ${client.c2.v6}/64 dev c2`);
    await sender.rounds(10);
    await lab.sh('client', `ip -6 address add ${client.c2.v6}/64 dev c2 nodad`);
    // Sockets that went on sending keep no other address in mind.
    await sender.served('g2');
    t.deepEqual(await wrong.stop(), []);
    await sender.end();
  });
