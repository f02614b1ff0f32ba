import test from 'ava';
import { hold } from '../helpers/runners.js';
import { makeLab, type Lab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { askFrom, ports, serveOutside } from '../helpers/clients.js';
import { outside, probeAll } from '../helpers/probes.js';
import { nftTable } from './foreign.js';

/** Looks last at both marks of all that is sent, and at the packet's mark of all that comes in. */
const watch = `nft -f - <<'X'
table inet watch {
  set sent { type mark . mark; flags dynamic; size 100; }
  set came { type mark; flags dynamic; size 100; }
  chain output { type filter hook output priority 400; oifname "lo" accept; ct state untracked accept; update @sent { meta mark . ct mark }; }
  chain input { type filter hook input priority 400; iifname "lo" accept; ct state untracked accept; update @came { meta mark }; }
}
X`;

/** What a bystander gets, and the marks that were seen meanwhile. */
async function around(lab: Lab) {
  await lab.sh('client', `conntrack -F 2>/dev/null; ${watch}`);
  const asked = await probeAll(outside(lab));
  const served = await askFrom(lab, ['g1', 'g2'], ports.bystander);
  const marks = await lab.sh(
    'client',
    'nft list table inet watch | grep elements -A9 | grep -oE "0x[0-9a-f]+( . 0x[0-9a-f]+)?" | sort -u',
  );
  await lab.sh('client', 'nft delete table inet watch');
  return { asked, served, marks };
}

const others: Record<string, readonly (readonly [string, string])[]> = {
  'bits of his own, saved and restored whole': [
    ['filter prerouting -150', 'meta mark set ct mark'],
    ['filter input -140', 'meta mark set meta mark | 0x10; ct mark set meta mark'],
    ['route output -151', 'meta mark set ct mark; meta mark set meta mark | 0x20; ct mark set meta mark'],
  ],
  'the mark restored, sending': [['filter output -151', 'meta mark set ct mark']],
  'the whole mark, sending': [['filter output -151', 'meta mark set 0x1']],
  'the mark restored behind us': [['route output 0', 'meta mark set ct mark']],
};

test.serial("a bystander's marks are the same with a group and without, whatever others do with them", async (t) => {
  const lab = await makeLab(t);
  await serveOutside(lab);
  for (const [name, chains] of Object.entries(others)) {
    const { makes, removes } = nftTable(chains);
    await lab.sh('client', makes);
    const before = await around(lab);
    const { left } = await leaving(lab, async () => {
      const held = await hold(lab, '10.0.2.1,fd02::1');
      t.deepEqual(await around(lab), before, name);
      await held.release();
    });
    t.deepEqual(left, [], name);
    await lab.sh('client', removes);
  }
});
