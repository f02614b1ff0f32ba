import test from 'ava';
import { launchWords } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { kept } from '../helpers/left.js';
import { fixture, python } from '../helpers/paths.js';

/** Who answers a UDP socket of an outside program: before a command inherits it, while that runs, and after its end. */
const ways: Record<string, { words: string[]; during: RegExp; after: RegExp }> = {
  'via stays': { words: [], during: /^g2 /, after: /^g1 / },
  // The class of the socket stays, but has no rules any more.
  'via becomes the command': { words: ['-x'], during: /^g2 /, after: /^g1 / },
};

for (const [name, { words, during, after }] of Object.entries(ways))
  test.serial(`an outside program's UDP socket that a command inherits: ${name}`, async (t) => {
    const lab = await makeLab(t);
    const launch = launchWords([...words, '10.0.2.1', '--', 'sh', '-c', 'echo in; read _; :']);
    const owner = lab.start('client', [...python, fixture('owner.py'), ...launch]);
    const ask = async (word: string): Promise<string> => {
      const from = owner.stdout.length;
      owner.stdin.write(`${word}\n`);
      return (await owner.waitFor(/^(.+)\n/m, { from }))[1] ?? '';
    };
    t.regex(await ask('ask'), /^g1 10\.0\.1\.2 /);
    t.is(await ask('start'), 'in');
    // As the limits in README say.
    t.regex(await ask('ask'), during);
    t.is(await ask('end'), 'ended 0');
    await kept(lab, 1);
    t.regex(await ask('ask'), after);
    owner.stdin.end();
    await owner.done;
  });
