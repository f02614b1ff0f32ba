import { withMeant } from './cli/meant.js';
import { parse } from './cli/parse.js';
import { isViaError } from './failure.js';
import type { Request } from './request.js';
import { dropAhead } from './kernel/ahead.js';
import { readArgv } from './run/argv.js';
import { endAs, statusOf, type Outcome } from './run/end.js';
import { readEntry } from './run/entry.js';
import { tellEnd } from './run/handover.js';
import { run, type Command } from './run/run.js';
import { watchSignals } from './run/signals.js';
import { makeSay, type Say } from './say.js';
import { trace } from './trace.js';
import { become } from './words/become.js';
import { keep } from './words/keep.js';
import { dryRun, launch } from './words/launch.js';
import { previewNone, runOutside } from './words/none.js';
import { sweep } from './words/sweep.js';
import { refuseCommand, wordsAs } from './words/user.js';

const signals = watchSignals();
const forLauncher = 'VIA_EXEC' in process.env;
/** Set before the options are parsed, also if they are malformed. Menu entries have --notify first. */
let notifies = process.argv[2] === '--notify';
let asked: Request | undefined;

async function main(): Promise<Outcome> {
  // Load it now, while bin/via still reads ahead; only a launch by -x does without.
  if (!forLauncher) process.getBuiltinModule('node:child_process');
  const entry = readEntry();
  signals.ignore(entry.ignored);
  const request = parse(readArgv(forLauncher));
  trace('start');
  if ('options' in request) notifies = request.options.notify;
  asked = request;
  if (request.word === 'help' || request.word === 'version') return tell(request);

  if (request.word === 'keep') return done(await keep(makeSay(false)));

  if (request.word === 'status') return status(request);
  if (request.word === 'desktop') {
    (await import('./words/desktop.js')).desktop(request, makeSay(false));
    return { code: 0 };
  }

  if (request.word === 'alias' || request.word === 'completion') return forShell(request);

  const say = makeSay(request.options.verbose);
  if (request.word === 'sweep') return done(await sweep(request, say));
  if (request.word === 'attach' || request.word === 'detach') return move(request, say);
  const { exec, dryRun: dry } = request.options;
  if (exec && !dry) return become(request, say, entry, signals);
  const { user } = request.options;
  if (user !== '') refuseCommand(request.command, entry);
  const ahead = await wordsAs(user, entry.environment);
  const start = () => {
    dropAhead();
    return run([...ahead, ...request.command] as unknown as Command, entry, signals);
  };
  if (request.word === 'launch') return dry ? done(await dryRun(request, say)) : launch(request, say, start);
  if (dry) return done(previewNone(request, say));
  return runOutside(request, say, start);
}

async function status({ self, json }: Extract<Request, { word: 'status' }>): Promise<Outcome> {
  const say = makeSay(false);
  if (!self) return done(await (await import('./words/status.js')).status(json, say));
  return { code: (await import('./words/self.js')).tellSelf(say) ? 0 : 1 };
}

async function forShell(request: Extract<Request, { word: 'alias' | 'completion' }>): Promise<Outcome> {
  const { tellAliases, tellCompletion } = await import('./words/shell.js');
  const say = makeSay(false);
  return done(request.word === 'alias' ? tellAliases(request, say) : tellCompletion(request, say));
}

async function move(request: Extract<Request, { word: 'attach' | 'detach' }>, say: Say): Promise<Outcome> {
  const { attach, detach } = await import('./words/attach.js');
  return { code: (await (request.word === 'attach' ? attach(request, say) : detach(request, say))) ? 0 : 125 };
}

async function tell(request: Extract<Request, { word: 'help' | 'version' }>): Promise<Outcome> {
  const { help, version } = await import('./cli/help.js');
  return done(makeSay(false).out([request.word === 'help' ? await help(request.topic) : version()]));
}

/** Ends via. A launcher that waits for us gets the status, and ends as we would have, also by a signal. */
function end(outcome: Outcome): never {
  if (!forLauncher) endAs(outcome);
  const code = statusOf(outcome);
  tellEnd(code);
  endAs({ code });
}

const done = (_nothing: void): Outcome => ({ code: 0 });

/** The outcome after an error. A signal that arrived during the set-up wins over the errors that it has caused. */
async function failed(error: unknown, say: Say): Promise<Outcome> {
  const signal = await signals.pending();
  if (signal !== undefined) return { signal };
  const shown = isViaError(error) ? withMeant(error, asked) : error;
  say.error(shown);
  // A program started from a menu has no visible standard error.
  if (notifies) (await import('./words/notify.js')).notify(shown, 'via: not started');
  return { code: isViaError(error) ? error.status : 125 };
}

// An error outside any awaited call is one line, too. The next via sweeps what it leaves.
process.on('uncaughtException', (error) => {
  makeSay(false).error(error);
  end({ code: 125 });
});

main()
  .catch((error: unknown) => failed(error, makeSay(false)))
  .then(end, () => endAs({ code: 125 }));
