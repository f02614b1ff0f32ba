import test from 'ava';
import { makeLab, type LabOptions } from '../helpers/lab.js';
import { leaving, quiet } from '../helpers/left.js';
import { builtins } from '../helpers/iptables.js';
import { watchTools, type Trouble } from '../helpers/tools.js';

const labs: Record<string, LabOptions & { options?: string[] }> = {
  'via mounts net_cls itself, strict rp_filter': { rpFilter: { c2: 1 } },
  'net_cls is mounted already': { netCls: 'mounted' },
  'by iptables': { netCls: 'mounted', options: ['--firewall=iptables'] },
};

const troubles: Trouble[] = ['fail', 'late', 'lines-1', 'lines-5', 'KILL'];

for (const [where, { options = [], ...about }] of Object.entries(labs))
  for (const trouble of troubles)
    test.serial(`${where}: each call of a tool meets ${trouble}`, async (t) => {
      const lab = await makeLab(t, { servers: false, ...about });
      if (options.length > 0) await lab.sh('client', builtins);
      const tools = await watchTools(lab);
      const launch = () => lab.via([...options, '10.0.2.1', '--', 'echo', 'ran']);
      const { result, steps } = await tools.during('fail', 'no.1', launch);
      t.deepEqual([result.code, result.stdout], [0, 'ran\n']);
      t.log(`${steps.length} calls: ${steps.join(' ')}`);
      const missed: string[] = [];
      for (const step of steps)
        // Once, when a second try may do; and for good.
        for (const last of [undefined, 99]) {
          const what = `${trouble} at ${step}${last ? ' and after' : ''}`;
          if (trouble.startsWith('lines') && !/batch|restore/.test(step)) continue;
          // What does something and says that it has failed cannot be used to undo it.
          if (trouble !== 'fail' && last !== undefined) continue;
          // The launcher's, before there is a via to be killed.
          if (trouble === 'KILL' && /^(ip_-[46]_-N|nft_-j_list)\.1$/.test(step)) continue;
          const isKeepers = step.startsWith('keeper:');
          const { left } = await leaving(lab, async () => {
            const { left: now, result } = await leaving(lab, () => tools.during(trouble, step, launch, last));
            const { code, signal, stdout, stderr } = result.result;
            // What is called because a keeper had the lock, is not called each time.
            if (!result.steps.includes(step)) missed.push(what);
            if (isKeepers) {
              // It goes with the last group, and via takes away what there is without it.
              t.deepEqual([code, stdout, stderr], [0, 'ran\n', ''], what);
              t.deepEqual(now, [], what);
            } else if (trouble === 'KILL' && result.steps.includes(step)) t.is(signal, 'SIGKILL', what);
            else if (stdout === '') {
              t.is(code, 125, what);
              t.regex(stderr, /^via: [^\n]+\n$/, what);
              t.deepEqual(now, [], what);
            } else {
              t.is(code, 0, what);
              t.regex(stderr, /^(via: [^\n]+\n)?$/, what);
              if (stderr === '') t.deepEqual(now, [], what);
            }
            await quiet(lab);
            t.is((await lab.via(['sweep'])).stderr, '', what);
          });
          t.deepEqual(left, [], what);
        }
      t.log(`not met: ${missed.join(', ')}`);
      t.true(missed.filter((what) => !what.includes(' keeper:')).length < steps.length / 4);
    });
