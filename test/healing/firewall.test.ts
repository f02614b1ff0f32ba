import test from 'ava';
import { othersIptables, seesAll, unmark } from '../helpers/firewall.js';
import { shielded, startDay } from '../helpers/healing.js';

const { 4: four, 6: six } = othersIptables();
const isLegacy = four === 'iptables-legacy';
const each = (script: (tool: string) => string): string => [four, six].map(script).join('\n');
const tables = 'raw mangle nat filter';

/** What is saved before the group is there, and put back while it is: the whole table, without anything of ours. */
const before = `mkdir -p /run/foreign
  ${each((tool) => `${tool} -t mangle -A PREROUTING -s 198.51.100.1 -j ACCEPT`).replace(/(ip6.*)198.51.100.1/, '$12001:db8:51::1')}
  ${each((tool) => `${tool}-save >/run/foreign/${tool}`)}`;

const byIptables: Record<string, string> = {
  'the chains are flushed': each((tool) => `for table in ${tables}; do ${tool} -t $table -F; done`),
  'the chains are flushed and deleted': each(
    (tool) => `for table in ${tables}; do ${tool} -t $table -F; ${tool} -t $table -X; done`,
  ),
  'whole tables are restored': each((tool) => `${tool}-restore </run/foreign/${tool}`),
};

const byNft: Record<string, string> = {
  'the table is deleted': 'nft delete table inet via',
  'all its rules are gone': 'nft flush table inet via',
  'a chain is flushed': unmark(),
  'the guard is flushed': 'nft flush chain inet via guard',
  'an element is gone': `nft flush map inet via new_of_class`,
};

const damages = seesAll() ? byNft : byIptables;

if (!isLegacy)
  for (const [what, script] of Object.entries(damages))
    test.serial(`${what}: mended`, async (t) => {
      const day = await startDay(t, seesAll() ? {} : { before });
      await shielded(day.lab);
      await day.sh(script);
      await day.mended();
      await day.whole();
      if (!seesAll()) await day.sh('rm -r /run/foreign');
      await day.end();
    });

/** As firewalld's nftables back end loads its rules anew: its own table only, in one transaction. */
const firewalld = `
  table inet firewalld {
    chain filter_OUTPUT { type filter hook output priority 10; oifname "lo" accept; ct state established,related accept; }
    chain filter_PREROUTING { type filter hook prerouting priority 10; icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept; }
  }`;

if (!isLegacy)
  test.serial("another firewall's reload of its own table is nothing to us", async (t) => {
    const day = await startDay(t, { before: `nft '${firewalld}'` });
    for (let n = 0; n < 3; n++)
      await day.sh(`nft -f - <<'EOF'
      table inet firewalld
      delete table inet firewalld
      ${firewalld}
EOF`);
    await day.mended();
    await day.whole();
    await day.end();
  });

// As CAVEATS of the manual page says: the kernel tells nobody of a change of these.
if (isLegacy)
  for (const [what, event] of [
    ['the next event', 'ip rule add pref 30000 lookup main'],
    ['the next via', undefined],
  ] as const)
    test.serial(`the marking is flushed: closed, and ${what} mends it`, async (t) => {
      const day = await startDay(t);
      await day.sh(unmark());
      await day.silent(50);
      if (event === undefined) t.is((await day.lab.via(['10.0.1.3', '--', 'true'])).stderr, '');
      else await day.sh(event);
      await day.mended();
      await day.whole();
      await day.end();
    });
