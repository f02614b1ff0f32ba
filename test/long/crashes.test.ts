import test, { type ExecutionContext } from 'ava';
import { builtins } from '../helpers/iptables.js';
import { makeLab, type Lab, type LabOptions } from '../helpers/lab.js';
import { kept, leaving } from '../helpers/left.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import { walk } from '../helpers/steps.js';

type About = LabOptions & { options?: string[] };

const labs: Record<string, About> = {
  'via mounts net_cls itself, strict rp_filter': { rpFilter: { c2: 1 } },
  'net_cls is mounted already': { netCls: 'mounted' },
  'by iptables': { netCls: 'mounted', options: ['--firewall=iptables'] },
};

const ways: Record<string, string[]> = { 'via stays': [], 'via becomes the command': ['-x'] };

const ended = 'via: node: ended before the command could start\n';

/** Kills the keepers of this network namespace; for a shell. */
const killKeepers = `for p in /proc/[0-9]*; do
  [ "$(readlink $p/ns/net)" = "$(readlink /proc/self/ns/net)" ] || continue
  case $(tr '\\0' ' ' <$p/cmdline) in *bash\\ */bin/keeper\\ *) kill -9 \${p#/proc/} ;; esac
done`;

/** A lab, and the steps of a launch in it, which are counted in the test's log. */
async function countSteps(t: ExecutionContext, about: About, words: string[]): Promise<{ lab: Lab; steps: string[] }> {
  const { options = [], ...labOptions } = about;
  const lab = await makeLab(t, { servers: false, ...labOptions });
  if (options.length > 0) await lab.sh('client', builtins);
  const { steps } = await walk(lab, words, 'nothing');
  await kept(lab);
  t.log(`${steps.length} steps`);
  return { lab, steps };
}

for (const [where, about] of Object.entries(labs))
  for (const [way, x] of Object.entries(ways)) {
    const words = [...x, ...(about.options ?? []), '10.0.2.1', '--', 'echo', 'ran'];

    test.serial(`${where}, ${way}: killed at each step, and nobody looks but the keeper`, async (t) => {
      const { lab, steps } = await countSteps(t, about, words);
      let alone = 0;
      for (const [i, step] of steps.entries()) {
        const { left } = await leaving(lab, async () => {
          const before = await snapshot(lab);
          const { result } = await walk(lab, words, 'SIGKILL', i + 1);
          // The launcher lives, and tells.
          if (x.length > 0) t.deepEqual([result.code, result.stderr], [125, ended], step);
          else t.is(result.signal, 'SIGKILL', step);
          await kept(lab);
          // Before there is a keeper there are files, and nothing that any packet meets.
          const now = diff(before, await snapshot(lab)).filter((line) => !/^(files|runs|mounts) /.test(line));
          t.deepEqual(now, [], step);
          if ((await lab.sh('client', 'ls -A /run')).split('\n').includes('via'))
            t.is((await lab.via(['sweep'])).stderr, '');
          else alone += 1;
          await kept(lab);
        });
        t.deepEqual(left, [], step);
      }
      t.log(`after ${alone} of them the keeper left nothing to sweep`);
      t.true(alone > steps.length / 3);
    });

    test.serial(`${where}, ${way}: the keeper is killed at each step`, async (t) => {
      const { lab, steps } = await countSteps(t, about, words);
      for (const [i, step] of steps.entries()) {
        const { left } = await leaving(lab, async () => {
          const { result } = await walk(lab, words, `run ${killKeepers}`, i + 1);
          t.deepEqual([result.code, result.stdout, result.stderr], [0, 'ran\n', ''], step);
          await kept(lab);
          if (x.length > 0) t.is((await lab.via(['sweep'])).stderr, '', step);
        });
        t.deepEqual(left, [], step);
      }
    });

    test.serial(`${where}, ${way}: SIGTERM and a failure at each step`, async (t) => {
      const { lab, steps } = await countSteps(t, about, words);
      for (const action of ['SIGTERM', 'fail'])
        for (const [i, step] of steps.entries()) {
          const { left } = await leaving(lab, async () => {
            const { result } = await walk(lab, words, action, i + 1);
            const { code, signal, stdout, stderr } = result;
            if (stdout === '' && action === 'fail') t.true(code === 125 || code === 126, step);
            else if (stdout === '') t.is(signal, 'SIGTERM', step);
            t.regex(stderr, /^(via: [^\n]+\n)?$/, step);
            t.notRegex(stderr, /internal/, step);
            await kept(lab);
            if (action === 'fail') await lab.via(['sweep']);
          });
          t.deepEqual(left, [], `${action} at ${step}`);
        }
    });
  }
