import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { oneLine, ViaError, wordsOf } from '../failure.js';
import { formatGateway, parseGateway } from '../gateway/text.js';
import type { Membership } from '../group/enter.js';
import { moveInto } from '../kernel/cgroup.js';
import { findHierarchy } from '../kernel/hierarchy.js';
import { INTERRUPTING } from '../kernel/ignored.js';
import { besideUs, isInGroup, startOf } from '../kernel/proc.js';
import type { Elevate, LaunchOptions } from '../request.js';
import { documentText, type Document } from './document.js';
import { chooseElevator, findProgram, hasTerminal, type Elevator } from './elevators.js';
import { refuseHere, rootsNode } from './obstacles.js';
import { findOwn, groupAround, isOwn, outName } from './own.js';

type Tell = (lines: () => readonly string[]) => void;

/** Of the launch that calls us; a part of its own, this one does not share what the launch knows. */
interface Caller {
  readonly tell: Tell;
  readonly isIgnored: (signal: NodeJS.Signals) => boolean;
}

/**
 * Makes this process, which is not root's, a member of its user's group of a way out: by itself where that is in use
 * already, else when root has made it. Throws where nobody gives root's rights, and what the set-up throws.
 */
export async function enterAsUser(gateway: string, options: LaunchOptions, caller: Caller): Promise<Membership> {
  const { ipv4, ipv6, lan, firewall } = options;
  const wanted = { gateway: formatGateway(parseGateway(gateway)), ipv4, ipv6, lan, firewall };
  const whole = isInGroup();
  const own = findOwn(findHierarchy().path, wanted, process.getuid?.() ?? 0);
  if (own !== undefined && moveInto(own, whole)) {
    caller.tell(() => [`echo $$ > ${own}/cgroup.procs`]);
    return member(own, whole);
  }
  return member(await joinBySetup({ ...wanted, word: 'launch' }, options, caller), whole);
}

/** Takes this process, which is not root's, out of its group. Gives where it is then. */
export async function leaveAsUser(options: LaunchOptions, caller: Caller): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const out = `${groupAround('self', findHierarchy().path)}/${outName(uid)}`;
  if (isOwn(out, uid) && moveInto(out, true)) return out;
  return joinBySetup({ ...options, gateway: '', word: 'none' }, options, caller);
}

type Wanted = Pick<Document, 'word' | 'gateway' | 'ipv4' | 'ipv6' | 'lan' | 'firewall'>;

/** Has root make what we are to be in, and joins that. */
async function joinBySetup(wanted: Wanted, options: LaunchOptions, { tell, isIgnored }: Caller): Promise<string> {
  const setup = besideUs('setup');
  const files = [setup, `${setup}.cjs`, besideUs('../dist/setup.cjs'), besideUs('keeper'), besideUs('listener')];
  refuseHere([...files, rootsNode()]);
  const surroundings = {
    hasTerminal: hasTerminal(),
    isGraphical: Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']),
    find: findProgram,
  };
  const elevator = chooseElevator(options.elevate as Exclude<Elevate, 'none'>, surroundings);
  const { word, gateway, ipv4, ipv6, lan, firewall } = wanted;
  const what = { word, gateway, ipv4, ipv6, lan, firewall, verbose: options.verbose };
  const document = { pid: process.pid, start: startOf('self') ?? '', ...what };
  const whole = isInGroup();
  const join = ({ path, changes }: Answer): void => {
    tell(() => [...changes, `echo $$ > ${path}/cgroup.procs`]);
    if (!moveInto(path, whole)) throw new ViaError('cgroup', path, 'is gone again', { hint: 'try again' });
  };
  return (await ask(elevator, realpathSync(setup), { document, join, isIgnored })).path;
}

/** The group above it is the one that has a name of its own. */
const member = (path: string, whole: boolean): Membership => ({
  uuid: /via-([\da-f-]{36})\//.exec(path)?.[1] ?? '',
  path,
  whole,
  ofUser: true,
});

interface Answer {
  readonly path: string;
  readonly changes: readonly string[];
}

interface Asking extends Pick<Caller, 'isIgnored'> {
  readonly document: Document;
  readonly join: (answer: Answer) => void;
}

/**
 * Has the set-up run, and joins as soon as it says where; it keeps the group until then. Waits for its end, so that the
 * terminal is as it was. Neither it nor the one that asks for a password gets anything of our standard streams.
 */
async function ask(
  { name, argv, asks }: Elevator,
  setup: string,
  { document, join, isIgnored }: Asking,
): Promise<Answer> {
  const [file, ...words] = [...argv, setup];
  const child = spawn(file ?? '', words, { stdio: ['pipe', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  let answer: Answer | undefined;
  let failure: unknown;
  let stopped = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isIgnored(signal)) return;
    stopped = true;
    for (const stream of child.stdio) stream?.destroy();
    child.kill();
  };
  for (const signal of INTERRUPTING) process.on(signal, stop);
  // One that ends before it has read all says why by itself.
  child.stdin.on('error', () => {});
  child.stdin.write(documentText(document));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if ((texts.out += text).length > LONGEST_ANSWER) return child.stdout.destroy();
    if (!texts.out.includes('\n') || answer !== undefined || failure !== undefined) return undefined;
    try {
      const read = readAnswer(texts.out);
      join(read);
      answer = read;
    } catch (error) {
      failure = error;
    }
    child.stdin.end();
    return undefined;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.err = (texts.err + text).slice(-4096)));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new ViaError('elevation', name, wordsOf(error), { cause: error })));
    child.once('close', resolve);
  });
  for (const signal of INTERRUPTING) process.off(signal, stop);
  if (stopped) throw new ViaError('elevation', name, 'interrupted');
  if (failure !== undefined) throw failure;
  if (answer === undefined) throw refusal(name, texts.err, status, asks);
  return answer;
}

/** What a group's making tells, with all that was changed. */
const LONGEST_ANSWER = 1 << 20;

/** The set-up's answer; it throws what the set-up has thrown. */
function readAnswer(text: string): Answer {
  const read = JSON.parse(text.slice(0, text.indexOf('\n'))) as Partial<Answer> & { error?: string };
  if (read.path !== undefined) return { path: read.path, changes: read.changes ?? [] };
  const [, what = 'set-up', why = ''] = /^(.*?): (.*)$/s.exec(read.error ?? '') ?? [];
  throw new ViaError(what, '', why);
}

/** In the last words of whoever has refused. */
function refusal(name: string, said: string, status: number | null, asks: boolean): ViaError {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/^(=|\s*This incident )/.test(line));
  const words = (lines.at(-1) ?? '').replace(/^(sudo|pkexec|via): /, '').trim();
  const why = words === '' ? `refused (exit status ${status})` : words;
  const hint =
    asks || name !== 'sudo' ? 'see via(1), WITHOUT ROOT' : 'there is no terminal to ask on; see via(1), WITHOUT ROOT';
  return new ViaError('elevation', name, oneLine(why), { hint });
}
