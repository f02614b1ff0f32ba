import { spawn } from 'node:child_process';
import { parse } from './cli/parse.js';
import { isViaError } from './failure.js';
import { makeSay } from './say.js';
import { trace } from './trace.js';

async function main(): Promise<number> {
  const request = parse(process.argv.slice(2));
  trace('parse');
  if (request.word === 'help' || request.word === 'version') {
    const { help, version } = await import('./cli/help.js');
    makeSay(false).out([request.word === 'help' ? await help(request.topic) : version()]);
    return 0;
  }
  const say = makeSay(request.options.verbose);
  if (request.word === 'sweep') {
    await (await import('./words/sweep.js')).sweep(say);
    return 0;
  }
  const [name, ...args] = request.command;
  const run = () =>
    new Promise<number>((ok) => spawn(name, args, { stdio: 'inherit' }).on('exit', (code) => ok(code ?? 1)));
  if (request.word === 'none') {
    (await import('./words/none.js')).outside();
    return run();
  }
  const { launch, dryRun } = await import('./words/launch.js');
  if (request.options.dryRun) {
    dryRun(request, say);
    return 0;
  }
  return launch(request, say, run);
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    makeSay(false).error(error);
    process.exit(isViaError(error) ? error.status : 125);
  },
);
