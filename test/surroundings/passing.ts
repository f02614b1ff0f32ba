import type { ExecutionContext } from 'ava';
import { stopped } from '../closed/other-path.js';
import type { Home } from '../helpers/behind.js';
import type { Lab } from '../helpers/lab.js';

/** Counts what only passes through, by whether it bears a mark; without a look at connections where nobody tracks them. */
export const watch = (home: Home) => `nft -f - <<'EOF'
  table inet watch {
    counter marked { }
    counter clean { }
    chain look {
      icmpv6 type mld2-listener-report return comment "the kernel's own, with any mark, and a device it did not come by"
      meta mark != 0 counter name marked return
      ${home === 'routed' ? '' : 'ct mark != 0 counter name marked return'}
      counter name clean
    }
    chain forward { type filter hook forward priority 400; jump look; }
    chain last { type filter hook postrouting priority 400; iifname { "h1", "c1", "c2" } jump look; }
  }
EOF`;

async function counted(lab: Lab): Promise<{ marked: number; clean: number }> {
  const text = await lab.sh('client', 'nft list counters table inet watch');
  const of = (name: string) => Number(new RegExp(`counter ${name} {\\s+packets (\\d+)`).exec(text)?.[1]);
  return { marked: of('marked'), clean: of('clean') };
}

/** Does something of which our guards stop nothing. */
export async function unguarded(t: ExecutionContext, lab: Lab, act: () => Promise<unknown>): Promise<void> {
  const before = await stopped(lab);
  await act();
  t.is(await stopped(lab), before);
}

/** What passed through bore no mark, and some did pass. */
export async function unmarked(t: ExecutionContext, lab: Lab): Promise<void> {
  const { marked, clean } = await counted(lab);
  t.is(marked, 0);
  t.true(clean > 50, `${clean}`);
}
