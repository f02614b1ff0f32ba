import test from 'ava';
import { bothOf } from '../closed/senders.js';
import { forwarded, makeBehind } from '../helpers/behind.js';
import { askFrom, farBehind, unanswered } from '../helpers/clients.js';
import { makeLab } from '../helpers/lab.js';
import { leaving } from '../helpers/left.js';
import { hold } from '../helpers/runners.js';
import { ownWayBack } from './own-way-back.js';
import { unguarded, unmarked, watch } from './passing.js';

const everybody = ['g1', 'g2', 'g3'] as const;

for (const home of ['nft', 'iptables'] as const)
  for (const [what, setUp, silent] of [
    ['a server behind a router, whom it leads to', watch, farBehind('g2', 'g3')],
    ['the same by a router with marks of its own for the way back', ownWayBack, farBehind('g3')],
  ] as const)
    test.serial(`${home}: ${what}`, async (t) => {
      const lab = await makeLab(t);
      await makeBehind(lab, home);
      await lab.sh('client', setUp(home));
      const ask = () => askFrom(lab, everybody, forwarded);
      const before = await ask();
      t.deepEqual(unanswered(before, 'behind'), silent);
      const { left } = await leaving(lab, async () => {
        const held = [await hold(lab, bothOf('g2')), await hold(lab, bothOf('g3'))];
        await unguarded(t, lab, async () => t.deepEqual(await ask(), before));
        for (const one of held) await one.release();
      });
      t.deepEqual(left, []);
      t.deepEqual(await ask(), before);
      if (setUp === watch) await unmarked(t, lab);
    });
