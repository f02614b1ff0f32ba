import type { Lab } from './lab.js';

/** For a shell on the client with one group: its table, and the preferences of its rules. */
export const ours = `
  mine() { ip "$1" -N rule | sed -n "$2" | head -n 1; }
  T=$(mine -4 's/.* lookup \\([0-9]*\\) proto 118.*/\\1/p')
  P=$(mine -4 's/^\\([0-9]*\\):.* proto 118.*/\\1/p')
  P6=$(mine -6 's/^\\([0-9]*\\):.* proto 118.*/\\1/p')`;

/** All that the kernel has of ours, a line each, in an order that does not tell when it was made. */
export async function stateOf(lab: Lab): Promise<string[]> {
  const text = await lab.sh(
    'client',
    `for family in -4 -6; do
      ip $family -N rule | sed -n "/ proto 118/s/^/rule $family /p"
      # Of a link-local network on two devices the one that main has first comes first, and a link that was down comes last.
      ip $family -N route show table all proto 118 | sed "s/^/route $family /; s/ linkdown//; s/ metric 25[0-9] / /"
    done
    nft -s list table inet via 2>/dev/null | sed 's/elements = //; s/[{},]//g' || :
    for tool in iptables-nft ip6tables-nft; do
      $tool-save 2>/dev/null | sed -n "/via/s/ \\[[0-9:]*\\]$//; /via/s/^/$tool /p"
    done
    # These make tables where there are none, if they are asked.
    for family in ip ip6; do
      [ ! -s /proc/net/\${family}_tables_names ] ||
        \${family}tables-legacy-save | sed -n "/via/s/ \\[[0-9:]*\\]$//; /via/s/^/\${family}tables-legacy /p"
    done`,
  );
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .sort();
}
